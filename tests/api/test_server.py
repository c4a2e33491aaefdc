"""`allons serve` by itself, on SQLite: it answers while a long round is solved beside it, and does not wait for it when it is stopped."""

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from dispatch.service.keys import make_key
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.world import World
from routing.network import RoadNetwork
from tests.dispatch.workers import Place, make_place, running, until
from tests.servers import free_port

pytestmark = pytest.mark.slow
SOLVE_S = 10.0


@pytest.fixture
def demo(sqlite: Database, demo_roads: RoadNetwork, tmp_path: Path) -> Place:
    """The demo territory."""
    return make_place(sqlite, demo_roads, tmp_path)


@pytest.fixture
def client(demo: Place) -> Iterator[httpx2.Client]:
    """A coordinator of the territory, at a service that is not there yet."""
    with demo.database.write() as session:
        _, key = make_key(Registry(session), "coordinator", Store(session, demo.territory), None, World())
    address = f"http://127.0.0.1:{free_port()}"
    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=SOLVE_S) as client:
        yield client


def serve(client: httpx2.Client) -> list[str]:
    return ["serve", "--port", str(client.base_url.port)]


def test_the_api_answers_while_a_long_round_is_solved(
    demo: Place, client: httpx2.Client, record_property: Callable[[str, object], None]
) -> None:
    """A solve in the API's own process would hold the interpreter, and so every answer, until its end."""
    round_id = demo.round(SOLVE_S)
    with running(demo, *serve(client)):
        demo.until("running", round_id)
        answers, waits = [], []
        while demo.row(round_id).state == "running":
            began = time.monotonic()
            answers.append(client.get("/v1/trip-requests", params={"date": str(demo.day)}))
            waits.append(time.monotonic() - began)
        assert {answer.status_code for answer in answers} == {200}
        assert all(answer.json()["items"] for answer in answers)
        assert demo.row(round_id).state == "done"
    record_property("answers", len(waits))
    record_property("p99_ms", round(1000 * statistics.quantiles(waits, n=100)[98]))
    assert len(waits) > 20
    assert max(waits) < SOLVE_S / 4


def test_a_service_that_is_stopped_in_mid_solve_ends_and_the_next_one_completes_the_round(demo: Place, client: httpx2.Client) -> None:
    round_id = demo.round(seconds=600)
    with running(demo, *serve(client)) as process:
        lease = demo.until("running", round_id).lease_until or 0.0
        until(lambda: (demo.row(round_id).lease_until or 0.0) > lease + 9)  # two heartbeats: the solving process has started by now
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - began < 10
    assert (demo.row(round_id).state, demo.offers()) == ("running", 0)
    assert (demo.row(round_id).lease_until or 0) < time.time()  # given back: nobody waits for its end
    demo.shorten(round_id, 0.5)
    with running(demo, *serve(client)):
        row = demo.until("done", round_id)
        assert (row.token, demo.steps(round_id)) == (2, ["running", "running", "done"])
        until(lambda: demo.offers() > 10)
