"""A round that cannot be planned ends and takes no other down; it is one worker's for as long as its heartbeat says so, and no longer."""

import time
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from dispatch.engine import rounds as conductor
from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner, RoundRunner
from dispatch.errors import NotReady
from dispatch.service.rounds import claim_round, enqueue_round
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Round, TripRequest
from dispatch.world import World
from routing.network import RoadNetwork
from tests.dispatch.territories import DATE, TestTerritory
from tests.dispatch.workers import Place

LEASE_S, SOLVE_S = 1.5, 4.0
QUICK = Settings(round_seconds=0.3, debounce_seconds=0.0, sweep_seconds=30.0)


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


def rounds(place: TestTerritory) -> list[tuple[str, str | None, int]]:
    with place.store() as store:
        return [(row.state, row.failure, row.attempts) for row in store.page(Round, None, 10)]


def test_one_person_whose_day_cannot_be_made_stops_neither_the_planner_nor_the_others(place: TestTerritory) -> None:
    other = TestTerritory(place.database, place.network, "B", 2)
    other.volunteer()
    spoiled, fine = place.ask(), other.ask()
    with place.store() as store:  # past the service: more than a day may hold
        query = sa.update(TripRequest).where(TripRequest.id == spoiled)
        store.session.execute(query.values(needs=[f"n{k}" for k in range(31)]))
    Planner(place.database, place.network, LocalBus(), QUICK, place.world).turn_and_wait()
    assert rounds(place) == [("failed", "error", 1)]
    assert other.states(fine) == ["offered", "offered"]


def test_a_round_that_takes_its_worker_down_while_the_day_is_made_is_given_up_in_the_end(
    place: TestTerritory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ask()
    with place.store() as store:
        enqueue_round(store, DATE, 0.3, 1, place.world)
    monkeypatch.setattr(conductor, "LEASE_S", -1.0)

    class Killed(BaseException):
        """As SIGKILL: nothing after it is done."""

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(conductor, "load_day", die)
    for _ in range(conductor.MOST_ATTEMPTS + 1):
        with place.store() as store:
            (round_id,) = store.rounds_to_run()
        try:
            conductor.run_round(place.database, place.network, place.id, round_id, 240, place.world)
        except Killed:
            continue
    assert rounds(place) == [("failed", "poison", conductor.MOST_ATTEMPTS + 1)]


def test_a_heartbeat_goes_on_after_the_database_was_away(place: TestTerritory, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.store() as store:
        round_id = enqueue_round(store, DATE, 0.3, 1, place.world).id
        claim = claim_round(store, round_id, place.world, lease_s=0.0)
    monkeypatch.setattr(conductor, "BEAT_S", 0.05)
    failures: list[Exception] = [NotReady(), RuntimeError()]
    write = place.database.write

    @contextmanager
    def sometimes(role: Any = "app") -> Any:
        if failures:
            raise failures.pop()
        with write(role) as session:
            yield session

    monkeypatch.setattr(place.database, "write", sometimes)
    with conductor._beating(place.database, claim):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with place.database.read() as session:
                until = Store(session, place.id).get(Round, round_id).lease_until
            if until is not None and until > time.time() + conductor.LEASE_S / 2:
                break
            time.sleep(0.05)
        else:
            pytest.fail("no beat came after the failures")
    assert failures == []


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
