"""Logs are lines of JSON; one that cannot be written stops nothing."""

import io
import json
import sys

import pytest
import structlog

from dispatch.logs import configure_logs


def test_events_are_lines_of_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    structlog.get_logger().info("round", served=3)
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["served"], event["level"]) == ("round", 3, "info")
    assert event["timestamp"].endswith("Z")


def test_quiet_leaves_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(quiet=True)
    structlog.get_logger().info("round")
    structlog.get_logger().warning("planner")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["planner"]


def test_a_closed_stderr_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logs()
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    structlog.get_logger().error("planner")
