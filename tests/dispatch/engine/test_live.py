"""Whoever watches a territory is told every step once and in order, whoever commits late, over breaks, and none of another territory."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from dispatch.engine import live as live_module
from dispatch.engine.bus import CHANGES, LocalBus, RedisBus
from dispatch.engine.live import START, Live, Message, Watcher
from dispatch.errors import NotReady, TooMany
from dispatch.service.trips import cancel_trip
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory


@pytest.fixture
def place(database: Database, demo_roads: RoadNetwork) -> TestTerritory:
    return TestTerritory(database, demo_roads)


@pytest.fixture
def live(place: TestTerritory) -> Iterator[Live]:
    bell = LocalBus()
    place.database.announce = bell.ring
    live = Live(place.database, bell, 3, 4)
    yield live
    live.close()


def collect(live: Live, watcher: Watcher, number: int, seconds: float = 10) -> list[Message]:
    """So many messages, and those that come with the last of them."""
    woken, found, deadline = threading.Event(), [], time.monotonic() + seconds
    watcher.wake = woken.set
    while len(found) < number:
        found += live.news(watcher)
        assert len(found) >= number or time.monotonic() < deadline, f"only {len(found)} of {number} came"
        woken.wait(0.05)
        woken.clear()
    return found


def logged(place: TestTerritory) -> list[str]:
    with place.store() as store:
        return [str(event.id) for event in store.log(None, 200, None)]


def cancel(place: TestTerritory, request_id: UUID) -> None:
    with place.store() as store:
        cancel_trip(store, store.get(TripRequest, request_id), place.world)


def test_every_step_is_told_once_and_in_order_over_a_break(place: TestTerritory, live: Live, demo_roads: RoadNetwork) -> None:
    elsewhere = TestTerritory(place.database, demo_roads, "Elsewhere", 2)
    watcher = live.watch(place.id)
    (ready,) = collect(live, watcher, 1)
    assert (ready.news, ready.seen) == ("ready", START)
    person = place.person()
    first = place.ask(person)
    elsewhere.ask()
    here = collect(live, watcher, len(logged(place)))
    live.leave(watcher)
    cancel(place, first)  # while nobody watches
    back = live.watch(place.id, here[-1].seen)
    place.ask(person, "15:00", None)
    here += collect(live, back, len(logged(place)) - len(here))
    assert all(message.news == "change" for message in here)
    assert sorted(message.seen for message in here) == sorted(logged(place))
    versions: dict[UUID, list[int]] = {}
    for message in here:
        assert message.step
        versions.setdefault(message.step.subject_id, []).append(message.step.version)
    assert all(told == list(range(1, len(told) + 1)) for told in versions.values())
    assert [message.seen for message in live.watch(place.id, here[0].seen).first] == [message.seen for message in here[1:]]
    assert len(live.watch(place.id, START).first) == len(here)


def test_who_has_seen_what_is_not_known_here_is_told_to_read_anew(
    place: TestTerritory, live: Live, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = TestTerritory(place.database, demo_roads, "Elsewhere", 2)
    elsewhere.ask()
    for _ in range(3):
        place.ask()
    for seen in (str(uuid4()), logged(elsewhere)[0], "not an id", "\x00", "1'--"):
        watcher = live.watch(place.id, seen)
        assert [(message.news, message.seen in logged(place)) for message in live.news(watcher)] == [("reload", True)]
        live.leave(watcher)
    monkeypatch.setattr(live_module, "KEPT", 2)
    assert [message.news for message in live.watch(place.id, START).first] == ["reload"]  # more than is told one by one
    behind = live.watch(place.id)
    assert [message.news for message in live.news(behind)] == ["ready"]
    quick = live.watch(place.id)
    for clock in ("13:00", "14:00", "15:00"):
        place.ask(place.person(), clock, None)
    collect(live, quick, 2)
    deadline = time.monotonic() + 10
    while (told := live.news(behind))[:1] == [] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [message.news for message in told] == ["reload"]


def test_only_so_many_watch(place: TestTerritory, live: Live, demo_roads: RoadNetwork) -> None:
    elsewhere = TestTerritory(place.database, demo_roads, "Elsewhere", 2)
    first, *_ = [live.watch(place.id) for _ in range(3)]
    with pytest.raises(TooMany):
        live.watch(place.id)
    live.watch(elsewhere.id)
    live.leave(first)
    live.watch(place.id)
    with pytest.raises(NotReady):
        live.watch(elsewhere.id)
    live.close()
    with pytest.raises(NotReady):
        live.watch(place.id)


def test_a_bell_that_nobody_rings_delays_the_news_and_loses_none(sqlite: Database, demo_roads: RoadNetwork) -> None:
    place, live = TestTerritory(sqlite, demo_roads), Live(sqlite, LocalBus(), 3, 3)
    watcher = live.watch(place.id)
    live.news(watcher)
    place.ask()
    assert len(collect(live, watcher, len(logged(place)))) == len(logged(place))
    live.close()


@pytest.mark.postgis
def test_steps_wait_for_a_transaction_that_began_before_them(postgis: Database, demo_roads: RoadNetwork) -> None:
    """What was seen last is then behind both, whoever commits first: nothing is ever put in before it."""
    place, bell = TestTerritory(postgis, demo_roads), LocalBus()
    postgis.announce = bell.ring
    early, late = place.ask(), place.ask(place.person(), "15:00", None)
    live = Live(postgis, bell, 3, 3)
    watcher = live.watch(place.id)
    live.news(watcher)
    slow = postgis.write()
    session = slow.__enter__()
    store = Store(session, place.id)
    cancel_trip(store, store.get(TripRequest, early), place.world)  # and does not commit yet
    cancel(place, late)
    time.sleep(0.3)
    assert live.news(watcher) == []
    slow.__exit__(None, None, None)
    told = collect(live, watcher, 5)
    subjects = [message.step.subject_id for message in told if message.step and message.step.kind == "request"]
    assert subjects == [early, late]
    live.close()


@pytest.mark.redis
def test_a_commit_in_another_process_is_told_at_once(
    sqlite: Database, demo_roads: RoadNetwork, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "AGAIN_S", 30.0)  # nothing but the bell
    place = TestTerritory(sqlite, demo_roads)
    sqlite.announce = RedisBus(redis_url, CHANGES).ring
    live = Live(sqlite, RedisBus(redis_url, CHANGES), 3, 3)
    watcher = live.watch(place.id)
    live.news(watcher)
    place.ask()
    time.sleep(0.2)
    place.ask(place.person(), "15:00", None)
    assert len(collect(live, watcher, len(logged(place)), 5)) == len(logged(place))
    with suppress(NotReady):
        live.close()
