"""`allons roads`: build, look, and refuse with one sentence and exit code 2."""

import sys
from pathlib import Path

import pytest

from dispatch.cli import main
from tests.routing.tiny import ROAD, line


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["allons", "roads", *words])
    monkeypatch.setenv("COLUMNS", "160")
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_a_network_is_built_beside_and_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line(ROAD, ROAD).write(tmp_path / "vallee.osm.pbf")
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "build", "vallee.osm.pbf") == 0
    assert run(monkeypatch, "info", "vallee.roads") == 0
    shown = capsys.readouterr().out
    assert shown.count("vallee.osm.pbf") == 2
    assert "OpenStreetMap contributors, ODbL" in shown
    assert "free-flow" in shown
    assert shown.count("vallee.places: 0 entries, 0 of them streets, 0 house numbers") == 2


@pytest.mark.parametrize("words", [("build", "absent.osm.pbf"), ("build", "bad.osm.pbf"), ("build", "river.osm"), ("info", "bad.osm.pbf")])
def test_bad_files_end_with_one_sentence_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    (tmp_path / "bad.osm.pbf").write_bytes(b"nothing of the kind")
    line({"waterway": "river"}).write(tmp_path / "river.osm")
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.strip().startswith(f"{words[1]}: ")
    assert "Traceback" not in shown.err
    assert len(shown.err.strip().splitlines()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_network_that_cannot_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line(ROAD).write(tmp_path / "n.osm")
    assert run(monkeypatch, "build", str(tmp_path / "n.osm"), "--out", str(tmp_path / "none" / "n.roads")) == 2
    assert "n.roads: cannot be written" in capsys.readouterr().err


def test_roads_are_built_where_places_cannot_be_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line(ROAD).write(tmp_path / "n.osm")
    (tmp_path / "n.places").mkdir()  # something else has its name
    assert run(monkeypatch, "build", str(tmp_path / "n.osm"), "--out", str(tmp_path / "n.roads")) == 0
    shown = capsys.readouterr()
    assert "n.places: cannot be written here" in shown.err
    assert "places cannot be searched" in shown.err
    assert (tmp_path / "n.roads").exists()
