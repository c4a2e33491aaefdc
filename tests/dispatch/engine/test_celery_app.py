"""Workers in processes of their own: killed, stopped, frozen, with Redis emptied, they lose nothing; and they tell nobody of whom."""

import os
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import redis

from dispatch.engine.bus import LocalBus
from dispatch.engine.engines import CeleryEngine
from dispatch.engine.planner import Planner
from dispatch.engine.rounds import LEASE_S
from dispatch.model.intake import NewBeneficiary, NewVolunteer
from dispatch.service.people import add_beneficiary, add_volunteer
from dispatch.settings import Settings
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, TripRequest, Volunteer
from dispatch.world import World
from routing.network import RoadNetwork
from tests.dispatch.territories import dump
from tests.dispatch.test_health import get
from tests.dispatch.workers import Place, kill, running, until, worker
from tests.servers import free_port

pytestmark = [pytest.mark.postgis, pytest.mark.redis, pytest.mark.slow, pytest.mark.usefixtures("_swept")]
SWEEP_S = 1.0
PHONE = "+33 6 39 98 12 34"


@pytest.fixture
def _swept(demo: Place, demo_roads: RoadNetwork, redis_url: str) -> Iterator[None]:
    """What a beat does with rounds, every second."""
    engine, ended = CeleryEngine(redis_url, 2 * SWEEP_S), threading.Event()
    planner = Planner(demo.database, demo_roads, LocalBus(), Settings(), World(), engine)

    def beat() -> None:
        while not ended.wait(SWEEP_S):
            planner.submit_rounds()

    thread = threading.Thread(target=beat)
    thread.start()
    yield
    ended.set()
    thread.join()
    engine.close()


def test_a_worker_killed_in_mid_solve_while_redis_is_emptied_loses_nothing(
    demo: Place, redis_url: str, record_property: Callable[[str, object], None]
) -> None:
    round_id, both = demo.round(seconds=6.0), threading.Barrier(2)
    bell = redis.Redis.from_url(redis_url)

    def empty() -> None:
        both.wait()
        bell.flushall()

    with worker(demo, redis_url) as first:
        demo.until("running", round_id)
        time.sleep(2)
        threading.Thread(target=empty).start()
        both.wait()
        kill(first)
    killed = time.monotonic()
    with worker(demo, redis_url):
        until(lambda: demo.row(round_id).token == 2)
        taken_over = time.monotonic() - killed
        row = demo.until("done", round_id)
    record_property("lease_seconds", LEASE_S)
    record_property("seconds_until_it_was_taken_over", round(taken_over, 1))
    record_property("seconds_until_it_was_done", round(time.monotonic() - killed, 1))
    assert taken_over < LEASE_S + SWEEP_S + 5  # the second worker starts meanwhile
    assert (row.token, row.attempts, demo.steps(round_id)) == (2, 2, ["running", "running", "done"])
    assert demo.offers() > 10


def test_a_worker_that_is_frozen_longer_than_its_lease_changes_nothing_when_it_wakes(demo: Place, redis_url: str, tmp_path: Path) -> None:
    round_id, log = demo.round(seconds=6.0), tmp_path / "first.log"
    with worker(demo, redis_url, log) as first:
        demo.until("running", round_id)
        time.sleep(1)
        os.killpg(first.pid, signal.SIGSTOP)
        with worker(demo, redis_url):
            row = demo.until("done", round_id, LEASE_S + 45)
        assert (row.token, demo.steps(round_id)) == (2, ["running", "running", "done"])
        before = dump(demo.database)
        os.killpg(first.pid, signal.SIGCONT)
        until(lambda: '"conflict"' in log.read_text(encoding="utf-8"))  # its plan came, and was refused
        time.sleep(1)
        assert first.poll() is None
        assert dump(demo.database) == before


def test_a_worker_that_is_told_to_stop_gives_its_round_back_and_ends(demo: Place, redis_url: str) -> None:
    round_id, port = demo.round(seconds=600), free_port()
    with worker(demo, redis_url, ALLONS_HEALTH_PORT=str(port)) as first:
        demo.until("running", round_id)
        time.sleep(1)
        began = time.monotonic()
        first.send_signal(signal.SIGTERM)
        assert first.wait(15) == 0
        assert time.monotonic() - began < 10
    demo.shorten(round_id, 0.5)
    with worker(demo, redis_url):
        assert demo.until("done", round_id).token == 2


@pytest.mark.parametrize("what", ["worker", "beat"])
def test_whoever_watches_a_process_is_told_that_it_is_stopping(demo: Place, redis_url: str, what: str) -> None:
    port = free_port()
    settings = {"ALLONS_REDIS_URL": redis_url, "ALLONS_WORKERS": "true", "ALLONS_HEALTH_PORT": str(port)}

    def ready() -> int:
        try:
            return get(port, "/readyz")[0]
        except OSError:
            return 0

    with running(demo, what, **settings) as process:
        until(lambda: ready() == 200)
        time.sleep(2)  # its handlers are there
        process.send_signal(signal.SIGTERM)
        seen = []
        while process.poll() is None:
            seen.append(ready())
        assert 503 in seen
        assert process.returncode == 0


def test_neither_redis_nor_logs_nor_figures_say_whom_a_round_is_for(
    demo: Place, demo_roads: RoadNetwork, redis_url: str, tmp_path: Path
) -> None:
    with demo.database.write() as session:
        store = Store(session, demo.territory)
        lon, lat = demo_roads.sample_points(np.random.default_rng(7), 1)[0].round(6).tolist()
        home = (lon, lat)
        add_beneficiary(store, NewBeneficiary(name="Canary Roussel", phone=PHONE, home=home), demo_roads, World())
        add_volunteer(store, NewVolunteer(name="Canary Morel", phone=PHONE, home=home), demo_roads, World())
    told, places = said(demo)
    assert {"Canary Roussel", "Canary Morel", PHONE} <= told
    bell, log, port = redis.Redis.from_url(redis_url), tmp_path / "worker.log", free_port()
    heard: list[str] = []
    with bell.monitor() as monitor:  # type: ignore[no-untyped-call]

        def listen() -> None:
            while not heard or "PUBLISH end" not in heard[-1]:
                heard.append(str(monitor.next_command()["command"]))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        round_id = demo.round(seconds=1.0)
        with worker(demo, redis_url, log, ALLONS_HEALTH_PORT=str(port)):
            demo.until("done", round_id)
            until(lambda: '"served"' in log.read_text(encoding="utf-8"))
            figures = str(get(port, "/metrics")[1])
        kept = everything(bell)
        bell.publish("end", "Canary Morel")
        listener.join()
    assert "Canary Morel" in heard.pop()  # the ear does hear
    assert any("allons.plan_round" in line for line in heard)
    assert any(b"allons:matrix:" in part for part in kept)
    assert "allons_rounds_total" in figures
    shown = ["\n".join(heard), log.read_text(encoding="utf-8"), figures]
    for text in [*shown, *(part.decode("latin-1") for part in kept)]:
        assert [word for word in told if word in text or word.encode().decode("latin-1") in text] == []
    for part in [*kept, *(text.encode() for text in shown)]:
        assert [place for place in places if place in part] == []


def said(demo: Place) -> tuple[set[str], set[bytes]]:
    """Everything that says who somebody is, and where they live and go: written out, and as the numbers of arrays."""
    with demo.database.read() as session:
        store = Store(session, demo.territory)
        people = [*store.page(Beneficiary, None, 500), *store.page(Volunteer, None, 500)]
        words = {part for who in store.identities(row.id for row in people).values() for part in (who.name, who.phone) if part}
        points = {row.home for row in people}
        for request in store.page(TripRequest, None, 500):
            points |= {request.origin, request.destination}
        words |= {need for row in people if isinstance(row, Beneficiary) for need in row.needs}
        words |= {text for text in (store.territory().name, store.territory().note) if text}
    degrees = {degree for point in points for degree in point}
    return words, {str(degree).encode() for degree in degrees if len(str(degree)) > 5} | {struct.pack("<d", degree) for degree in degrees}


def everything(bell: "redis.Redis") -> list[bytes]:
    """All that Redis holds at the moment, keys and values."""
    found: list[bytes] = []
    for key in bell.scan_iter():
        kind = bell.type(key)
        read = {b"string": bell.get, b"list": lambda name: bell.lrange(name, 0, -1), b"hash": bell.hgetall, b"set": bell.smembers}
        value = read[kind](key) if kind in read else bell.zrange(key, 0, -1, withscores=True)
        found += [key, value if isinstance(value, bytes) else repr(value).encode()]
    return found
