"""A round is one worker's for as long as it says that it is still there, and not a moment longer."""

import time
from threading import Thread

import pytest
from structlog.testing import capture_logs

from dispatch.engine import rounds as conductor
from dispatch.engine.planner import RoundRunner
from dispatch.settings import Settings
from dispatch.world import World
from routing.network import RoadNetwork
from tests.dispatch.workers import Place

LEASE_S, SOLVE_S = 1.5, 4.0


@pytest.mark.parametrize("demo", ["sqlite"], indirect=True)
@pytest.mark.parametrize("beats", [True, False])
def test_a_solve_longer_than_its_lease_keeps_it_by_its_heartbeat_alone(
    demo: Place, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch, *, beats: bool
) -> None:
    """Without the heartbeat another worker takes the round over, and what the first one brings at last is refused."""
    monkeypatch.setattr(conductor, "LEASE_S", LEASE_S)
    monkeypatch.setattr(conductor, "BEAT_S", LEASE_S / 3 if beats else 60.0)
    first, second = (RoundRunner(demo.database, demo_roads, Settings(), World()) for _ in range(2))
    round_id = demo.round(seconds=SOLVE_S)
    with capture_logs() as lines:
        thread = Thread(target=first.run, args=(demo.territory, round_id))
        thread.start()
        demo.until("running", round_id)
        demo.shorten(round_id, 0.5)  # for whoever else may run it
        while thread.is_alive():
            second.run(demo.territory, round_id)  # refused, as long as somebody has it
            time.sleep(0.2)
    row = demo.row(round_id)
    assert (row.state, row.token, row.attempts) == (("done", 1, 1) if beats else ("done", 2, 2))
    assert demo.steps(round_id) == (["running", "done"] if beats else ["running", "running", "done"])
    assert [line["ended"] for line in lines if line.get("ended") != "conflict"] == ["done"]
