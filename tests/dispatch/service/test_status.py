"""Taps on the way: late, twice and out of order they do no harm; what cannot be is refused; nobody is a no-show before the wait is over."""

import copy
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from dispatch.errors import BadInput, Conflict, IllegalMove
from dispatch.model.driving import FORWARD, NewTap, Tapped
from dispatch.model.lifecycle import TABLE, states
from dispatch.service.attention import needs_a_human
from dispatch.service.offers import accept_offer
from dispatch.service.rounds import save_round
from dispatch.service.status import note_tap
from dispatch.storage.database import Database
from dispatch.storage.driving import Tap
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Offer, Run
from routing.network import RoadNetwork
from tests.conftest import open_sqlite
from tests.dispatch.territories import DATE, TestTerritory, at, make_plan


class Ride:
    """A request that a volunteer has agreed to drive, there and back."""

    def __init__(self, place: TestTerritory) -> None:
        self.place, self.volunteer, self.request = place, place.volunteer(), place.ask()
        ways = {(self.request, "outbound"): (self.volunteer, "10:00"), (self.request, "return"): (self.volunteer, "11:40")}
        place.run_round(ways)
        offer = place.offer(self.request)
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer.id), place.world)
        self.there, self.back = (way.leg.id for way in place.trip(self.request).legs)

    def go_to(self, clock: str) -> None:
        self.place.world.advance(at(clock) - self.place.world.now())

    def tap(self, state: Tapped, clock: str, leg: UUID | None = None, *, tap_id: UUID | None = None, staff: bool = False) -> str:
        new = NewTap(id=tap_id or uuid4(), state=state, at=at(clock))
        with self.place.store() as store:
            return note_tap(store, store.get(Leg, leg or self.there), new, self.place.world, staff=staff).state

    def states(self) -> list[str]:
        return self.place.states(self.request)

    def run(self) -> str:
        with self.place.store() as store:
            return store.runs_of_day(DATE, [self.volunteer])[0].state

    def taps(self) -> list[Tap]:
        with self.place.store() as store:
            return list(itertools.chain.from_iterable(store.taps_of([self.there, self.back]).values()))

    def waiting(self) -> list[str]:
        with self.place.store() as store:
            return [entry.kind for entry in needs_a_human(store, self.place.world)]


@pytest.fixture
def ride(database: Database, demo_roads: RoadNetwork) -> Ride:
    return Ride(TestTerritory(database, demo_roads))


@pytest.fixture(scope="module")
def prepared(empty_sqlite: Path, demo_roads: RoadNetwork, tmp_path_factory: pytest.TempPathFactory) -> Ride:
    """One in a database that is closed, to be copied."""
    with open_sqlite(shutil.copy(empty_sqlite, tmp_path_factory.mktemp("ride"))) as database:
        return Ride(TestTerritory(database, demo_roads))


@pytest.fixture
def copied(prepared: Ride, tmp_path: Path) -> Iterator[Ride]:
    """The same ride in a database of its own, for tables of many cases."""
    ride, place = copy.copy(prepared), copy.copy(prepared.place)
    with open_sqlite(shutil.copy(str(place.database._engine.url.database), tmp_path)) as place.database:
        ride.place, place.world = place, copy.deepcopy(place.world)
        yield ride


def test_a_day_is_driven_to_its_end(ride: Ride) -> None:
    ride.go_to("12:30")
    assert [ride.tap(state, clock) for state, clock in (("en_route", "09:40"), ("at_pickup", "09:58"), ("on_board", "10:03"))] == [
        "en_route", "at_pickup", "on_board",
    ]  # fmt: skip
    assert ride.run() == "started"
    assert ride.tap("completed", "10:14") == "completed"
    assert (ride.run(), ride.place.trip(ride.request).request.state) == ("started", "accepted")
    assert ride.tap("completed", "11:55", ride.back) == "completed"
    assert (ride.run(), ride.place.trip(ride.request).request.state) == ("finished", "closed")


def test_the_same_tap_sent_again_is_one_tap_and_its_number_is_good_for_one_only(ride: Ride) -> None:
    ride.go_to("10:10")
    one = uuid4()
    assert [ride.tap("at_pickup", "09:58", tap_id=one) for _ in range(3)] == ["at_pickup"] * 3
    assert len(ride.taps()) == 1
    with pytest.raises(Conflict):
        ride.tap("on_board", "10:01", tap_id=one)


def test_what_comes_late_or_out_of_order_is_kept_with_its_time_and_moves_nothing_back(ride: Ride) -> None:
    ride.go_to("11:00")
    ride.tap("completed", "10:14")
    assert ride.tap("at_pickup", "09:58") == "completed"
    assert ride.tap("en_route", "09:40") == "completed"
    assert [(tap.state, tap.at) for tap in ride.taps()] == [
        ("en_route", at("09:40")),
        ("at_pickup", at("09:58")),
        ("completed", at("10:14")),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(["en_route", "at_pickup", "on_board", "completed"])))
def test_in_whatever_order_taps_come_in_the_end_is_the_same(copied: Ride, order: tuple[Tapped, ...]) -> None:
    ride = copied
    ride.go_to("10:30")
    clocks = {"en_route": "09:40", "at_pickup": "09:58", "on_board": "10:03", "completed": "10:14"}
    for state in [*order, order[0]]:
        ride.tap(state, clocks[state])
    assert ride.states()[0] == "completed"
    assert len(ride.taps()) == 5


@pytest.mark.parametrize(
    ("state", "clock", "error"),
    [("en_route", "10:40", BadInput), ("en_route", "07:00", BadInput), ("completed", "08:30", Conflict), ("missed", "10:20", IllegalMove)],
)
def test_a_tap_that_cannot_be_is_refused_and_changes_nothing(ride: Ride, state: Tapped, clock: str, error: type[Exception]) -> None:
    ride.go_to("10:30")
    with pytest.raises(error):
        ride.tap(state, clock)
    assert (ride.states(), ride.taps()) == (["confirmed", "confirmed"], [])


def test_nobody_is_a_no_show_before_somebody_came_and_waited(ride: Ride) -> None:
    ride.go_to("10:30")
    with pytest.raises(Conflict, match="tap that first"):
        ride.tap("no_show", "10:20")
    ride.tap("at_pickup", "09:50")
    with pytest.raises(Conflict, match="10 minutes"):
        ride.tap("no_show", "10:09")
    assert ride.tap("no_show", "10:10") == "no_show"
    assert ride.states() == ["no_show", "no_show"]
    assert ride.place.trip(ride.request).request.state == "closed"
    assert ride.run() == "finished"


def test_the_way_back_of_somebody_who_was_not_there_is_free_for_others_at_once(database: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(database, demo_roads)
    one, other, request = place.volunteer(), place.volunteer(), place.ask()
    place.run_round({(request, "outbound"): (one, "10:00"), (request, "return"): (other, "11:40")})
    for offer in place.offers(request):
        with place.store() as store:
            accept_offer(store, store.get(Offer, offer.id), place.world)
    there = place.trip(request).legs[0].leg.id
    place.world.advance(at("10:30") - place.world.now())
    for state, clock in (("at_pickup", "09:58"), ("no_show", "10:12")):
        with place.store() as store:
            note_tap(store, store.get(Leg, there), NewTap(id=uuid4(), state=state, at=at(clock)), place.world, staff=False)  # type: ignore[arg-type]
    with place.store() as store:
        assert [run.state for run in store.runs_of(other)] == ["cancelled"]
    assert place.states(request) == ["no_show", "no_show"]


def test_a_re_plan_leaves_whoever_is_out_alone_and_brings_back_whom_they_took(ride: Ride) -> None:
    other = ride.place.volunteer()
    later = ride.place.ask(arrive="15:00", back=None)
    ride.go_to("10:05")
    ride.tap("on_board", "10:03")
    snapshot = ride.place.snapshot()
    spans = {driver.id: driver.shifts for driver in snapshot.day.drivers}
    assert str(ride.volunteer) not in spans  # until 18:00, when that run and the span end
    assert [request.id for request in snapshot.day.requests] == [str(later)]
    plan = make_plan({(later, "outbound"): (other, "14:30")})
    with ride.place.database.write("solver") as session:
        save_round(Store(session, ride.place.id), snapshot, plan, 240, ride.place.world)
    assert (ride.states(), ride.run(), ride.place.states(later)) == (["on_board", "confirmed"], "started", ["offered"])


def test_a_ride_nobody_has_begun_and_a_person_nobody_brings_back_need_a_human(ride: Ride) -> None:
    ride.go_to("10:10")
    assert ride.waiting() == []
    ride.go_to("10:20")
    assert ride.waiting() == ["not_started"]
    ride.tap("completed", "10:14")
    assert ride.waiting() == []
    with ride.place.store() as store:
        store.move(store.legs_of([ride.request])[ride.request][1], "standby", ride.place.world)
    assert ride.waiting() == ["stranded"]


PAIRS = [(before, after) for before in states("leg") for after in ("en_route", "at_pickup", "on_board", "completed", "missed")]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_step_that_a_tap_may_take_is_one_of_the_table(copied: Ride, before: str, after: Tapped) -> None:
    ride = copied
    ride.go_to("10:30")
    path = {"en_route": ["en_route"], "at_pickup": ["at_pickup"], "on_board": ["on_board"], "completed": ["completed"], "confirmed": []}
    with ride.place.store() as store:
        leg = store.get(Leg, ride.there)
        for state in path.get(before, [before]):
            if state in TABLE["leg"][leg.state]:
                store.move(leg, state, ride.place.world)
    if ride.states()[0] != before:
        return  # a state that a ride somebody drives does not come from
    count = len(ride.taps())
    harmless = before in FORWARD and after in FORWARD and FORWARD.index(after) <= FORWARD.index(before)
    if after in TABLE["leg"][before] or harmless:
        assert ride.tap(after, "10:14", staff=True) == (before if harmless else after)
    else:
        with pytest.raises(IllegalMove):
            ride.tap(after, "10:14", staff=True)
        assert (ride.states()[0], len(ride.taps())) == (before, count)


def test_a_run_is_started_by_its_first_tap(ride: Ride) -> None:
    assert ride.run() == "planned"
    ride.go_to("09:45")
    ride.tap("en_route", "09:40")
    with ride.place.store() as store:
        (run,) = store.runs_of_day(DATE)
        assert [event.after for event in store.events(run.id)] == ["published", "started"]
        assert store.get(Run, run.id).state == "started"
