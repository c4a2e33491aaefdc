"""Rides that come again: what is made of them and when, what is refused, and what a change leaves as it was."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from api.simulation.judge import _forgotten_dates
from dispatch.engine.bus import LocalBus
from dispatch.engine.planner import Planner
from dispatch.errors import BadInput, Conflict, IllegalMove
from dispatch.model.series import NewSeries, SeriesDays, SeriesMove
from dispatch.service.privacy import erase_person
from dispatch.service.series import Outcome, begin_series, change_series, end_series, extend_series
from dispatch.service.series_dates import move_date, skip_days, take_up
from dispatch.service.trips import Asker, cancel_trip
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.series_tables import RideSeries, SeriesDate
from dispatch.storage.tables import TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import NOW, TestTerritory

STAFF = Asker(channel="series")
MONDAY, TUESDAY = dt.date(2026, 11, 30), dt.date(2026, 11, 24)  # today is Monday, 23 November


@pytest.fixture
def place(sqlite: Database, demo_roads: RoadNetwork) -> TestTerritory:
    """A territory on SQLite, in zone A."""
    place = TestTerritory(sqlite, demo_roads)
    place.rule(holidays={"school_zone": "A"})
    return place


def wish(place: TestTerritory, **parts: Any) -> NewSeries:
    """Dialysis, as it were: Mondays, Wednesdays and Fridays."""
    base: dict[str, Any] = {"weekdays": (1, 3, 5), "arrive_by": "07:30", "return_after": "12:30", "first_day": NOW.date()}
    ends = {"origin": place.point(), "destination": place.point()}
    return NewSeries(**({"beneficiary_id": parts.get("beneficiary_id") or place.person()} | ends | base | parts))


def begin(place: TestTerritory, asker: Asker = STAFF, **parts: Any) -> Outcome:
    new = wish(place, **parts)
    with place.store() as store:
        return begin_series(store, new, place.network, place.world, asker)


def days(dates: tuple[SeriesDate, ...]) -> list[str]:
    return [f"{date.day:%m-%d}" for date in dates]


def rides(place: TestTerritory) -> dict[str, str]:
    """Wall clock of every request that is still wanted -> its state."""
    with place.store() as store:
        found = sorted(store.page(TripRequest, None, 1000), key=lambda row: row.service_date)
        wanted = [row for row in found if row.state in ("submitted", "accepted")]
        zone = dt.timezone(dt.timedelta(hours=1))
        return {f"{(row.arrive_by or row.depart_after).astimezone(zone):%m-%d %H:%M}": row.state for row in wanted}  # type: ignore[union-attr]


def turn(place: TestTerritory, step: dt.timedelta = dt.timedelta()) -> None:
    """The planner's turn, later, but for rounds."""
    place.world.advance(step)
    Planner(place.database, place.network, LocalBus(), Settings(), place.world).extend_series()


def count(place: TestTerritory) -> dict[str, int]:
    """Rows of the tables that a series writes."""
    with place.store() as store:
        tables = ("ride_series", "series_date", "trip_request", "leg", "notice", "event")
        return {name: store.session.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in tables}  # noqa: S608


def promised(place: TestTerritory, request_id: UUID) -> None:
    """Both ways, as if a volunteer had agreed."""
    with place.store() as store:
        for leg in store.legs_of([request_id])[request_id]:
            for state in ("offered", "confirmed"):
                store.move(leg, state, place.world)


def test_a_series_is_asked_for_some_weeks_ahead_and_goes_on_by_itself(place: TestTerritory) -> None:
    place.rule(booking={"series_days": 7})
    made = begin(place).made
    assert days(made) == ["11-25", "11-27", "11-30"]  # this morning has passed
    assert list(rides(place)) == ["11-25 07:30", "11-27 07:30", "11-30 07:30"]
    assert place.states(made[0].request_id or uuid4()) == ["pending", "pending"]
    turn(place)
    assert len(rides(place)) == 3
    turn(place, dt.timedelta(days=3))
    assert list(rides(place))[3:] == ["12-02 07:30"]
    turn(place, dt.timedelta(days=30))  # nothing was running for a month: what passed is let go, and the next week is asked for
    assert list(rides(place))[4:] == ["12-28 07:30", "12-30 07:30", "01-01 07:30"] or list(rides(place)) == sorted(rides(place))


def test_the_person_hears_of_a_series_once(place: TestTerritory) -> None:
    begin(place)
    turn(place, dt.timedelta(days=7))
    with place.store() as store:
        kinds = store.session.scalars(sa.text("SELECT kind FROM notice")).all()
    assert kinds == ["request_received"]


def test_two_planners_make_no_ride_twice(database: Database, demo_roads: RoadNetwork) -> None:
    """And with its guard removed the table would take the second one."""
    place = TestTerritory(database, demo_roads)
    made = begin(place).made[0]
    twice = SeriesDate(id=uuid4(), series_id=made.series_id, day=made.day, reason="skipped")
    with pytest.raises(Conflict), place.store() as store:
        store.add(twice)
    same_ride = SeriesDate(id=uuid4(), series_id=made.series_id, day=dt.date(2027, 1, 1), request_id=made.request_id)
    with pytest.raises(Conflict), place.store() as store:
        store.add(same_ride)
    with place.store() as store:  # looked at again from its beginning, as whoever read it earlier would
        row = store.series_held(made.series_id)
        row.made_until = NOW.date()
        assert extend_series(store, row, place.network, place.world) == ((), ())


def test_wall_time_is_kept_when_the_clocks_change(place: TestTerritory) -> None:
    place.rule(booking={"series_days": 400})
    begin(place, weekdays=(7,), first_day=dt.date(2027, 3, 21), last_day=dt.date(2027, 4, 4), arrive_by="10:00", return_after="11:00")
    with place.store() as store:
        found = sorted(row.arrive_by for row in store.page(TripRequest, None, 10) if row.arrive_by)
    assert [f"{at:%d %H:%M}" for at in found] == ["21 09:00", "28 08:00", "04 08:00"]


def test_a_time_that_the_clocks_skip_has_no_ride_on_that_day_only(place: TestTerritory) -> None:
    place.rule(booking={"series_days": 400})
    night: dict[str, Any] = {"weekdays": (7,), "arrive_by": "02:30", "return_after": None}
    made = begin(place, first_day=dt.date(2027, 3, 21), last_day=dt.date(2027, 4, 4), **night)
    assert (days(made.made), days(made.not_made), made.not_made[0].reason) == (["03-21", "04-04"], ["03-28"], "clock_change")
    with pytest.raises(BadInput, match="arrive_by"):
        begin(place, first_day=dt.date(2027, 3, 22), last_day=dt.date(2027, 3, 28), **night)


def test_holidays_are_left_out(place: TestTerritory) -> None:
    place.rule(booking={"series_days": 60}, holidays={"school_zone": "A"})
    made = begin(place, weekdays=(5,), except_holidays=("public",), last_day=dt.date(2027, 1, 8))
    assert days(made.not_made) == ["12-25", "01-01"]
    assert {date.reason for date in made.not_made} == {"public_holiday"}
    made = begin(place, weekdays=(4,), except_holidays=("school",), last_day=dt.date(2027, 1, 8))
    assert days(made.not_made) == ["12-24", "12-31"]
    assert days(made.made)[-1] == "01-07"


@pytest.mark.parametrize(
    ("parts", "pointer", "code"),
    [
        ({"weekdays": (2,), "first_day": MONDAY, "last_day": MONDAY}, "weekdays", "no_date"),
        ({"first_day": dt.date(2026, 11, 2), "last_day": dt.date(2026, 11, 20)}, "last_day", "past"),
        ({"first_day": dt.date(2028, 11, 2)}, "first_day", "too_far_ahead"),
        ({"weekdays": (5,), "first_day": dt.date(2026, 12, 25), "last_day": dt.date(2027, 1, 1), "except_holidays": ("public",)},
         "except_holidays", "no_date"),
        ({"weekdays": (1,), "last_day": NOW.date()}, "arrive_by", "no_time"),
        ({"origin": (2.9, 46.9)}, "origin", "far_from_roads"),
        ({"beneficiary_id": uuid4()}, "beneficiary_id", "unknown"),
        ({"weekdays": (6, 7)}, "arrive_by", "closed_that_day"),
        ({"arrive_by": "05:30"}, "arrive_by", "outside_hours"),
    ],
)  # fmt: skip
def test_an_impossible_series_is_refused_and_nothing_is_kept(place: TestTerritory, parts: dict[str, Any], pointer: str, code: str) -> None:
    place.rule(booking={"weekdays": [0, 1, 2, 3, 4], "open_from": "06:00"})
    before = count(place)
    with pytest.raises(BadInput) as caught:
        begin(place, **parts)
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(pointer, code)]
    assert count(place) == before


def test_school_holidays_need_a_zone(place: TestTerritory) -> None:
    place.rule()
    with pytest.raises(BadInput, match="school zone"):
        begin(place, except_holidays=("school",))


def test_who_may_not_go_past_the_rules_does_not_with_a_series(place: TestTerritory) -> None:
    with pytest.raises(BadInput, match="override"):
        begin(place, Asker(staff=False, channel="series"), override=True)


def test_a_date_on_which_the_person_has_another_ride_is_told(place: TestTerritory) -> None:
    person = place.person()
    place.ask(person, arrive="10:40", back=None)
    made = begin(place, beneficiary_id=person, weekdays=(2,), arrive_by="10:40", return_after=None)
    assert (days(made.not_made), made.not_made[0].reason) == (["11-24"], "another_ride")
    assert "12-01" in days(made.made)


def test_from_a_day_on_it_is_something_else_and_what_was_promised_stays(place: TestTerritory) -> None:
    place.rule(booking={"series_days": 14})
    first = begin(place, weekdays=(1, 3))
    assert days(first.made) == ["11-25", "11-30", "12-02", "12-07"]
    promised(place, first.made[2].request_id or uuid4())
    with place.store() as store:
        row = store.series_held(first.series.id)
        new = wish(place, beneficiary_id=row.beneficiary_id, weekdays=(1, 3), arrive_by="09:00", first_day=MONDAY)
        changed = change_series(store, row, new, place.network, place.world, STAFF)
    assert list(rides(place)) == ["11-25 07:30", "11-30 09:00", "12-02 07:30", "12-07 09:00"]
    assert (days(changed.kept), days(changed.made), changed.cancelled) == (["12-02"], ["11-30", "12-07"], 2)
    assert changed.series.follows == first.series.id
    assert place.states(first.made[2].request_id or uuid4()) == ["confirmed", "confirmed"]
    turn(place, dt.timedelta(days=7))
    assert list(rides(place))[-2:] == ["12-09 09:00", "12-14 09:00"]
    with place.store() as store:
        assert store.get(RideSeries, first.series.id).last_day == dt.date(2026, 11, 29)


def test_a_change_that_is_refused_changes_nothing(place: TestTerritory) -> None:
    first, other = begin(place), place.person()
    before, was = count(place), rides(place)
    for parts in ({"origin": (2.9, 46.9)}, {"beneficiary_id": other}, {"last_day": dt.date(2026, 11, 24), "weekdays": (5,)}):
        with pytest.raises(BadInput), place.store() as store:
            row = store.series_held(first.series.id)
            given = {"beneficiary_id": row.beneficiary_id, "arrive_by": "09:00", **parts}
            change_series(store, row, wish(place, **given), place.network, place.world, STAFF)  # type: ignore[arg-type]
    assert rides(place) == was
    assert count(place) == before


def test_the_end_of_a_series_frees_what_is_after_it(place: TestTerritory) -> None:
    first = begin(place, weekdays=(1,))
    promised(place, first.made[2].request_id or uuid4())
    with place.store() as store:
        ended = end_series(store, store.series_held(first.series.id), MONDAY, place.world)
    assert (days(ended.kept), ended.cancelled) == (["12-14"], 3)
    assert list(rides(place)) == ["11-30 07:30", "12-14 07:30"]
    turn(place, dt.timedelta(days=30))
    assert list(rides(place)) == ["11-30 07:30", "12-14 07:30"]
    with pytest.raises(IllegalMove), place.store() as store:
        end_series(store, store.series_held(first.series.id), MONDAY, place.world)


def test_a_pause_is_left_out_and_taken_up_again(place: TestTerritory) -> None:
    place.rule(booking={"series_days": 14})
    first = begin(place, weekdays=(1,))
    pause = SeriesDays(first_day=dt.date(2026, 12, 1), last_day=dt.date(2026, 12, 22))
    with place.store() as store:
        paused = skip_days(store, store.series_held(first.series.id), pause, place.world)
    assert (days(paused.not_made), paused.cancelled) == (["12-07", "12-14", "12-21"], 1)
    turn(place, dt.timedelta(days=7))
    assert list(rides(place)) == ["11-30 07:30"]
    with place.store() as store:
        again = take_up(store, store.series_held(first.series.id), pause, place.network, place.world)
    assert days(again.made) == ["12-07", "12-14"]  # the 21st comes with its time
    turn(place, dt.timedelta(days=7))
    assert list(rides(place)) == ["11-30 07:30", "12-07 07:30", "12-14 07:30", "12-21 07:30"]
    with pytest.raises(IllegalMove), place.store() as store:
        take_up(store, store.series_held(first.series.id), pause, place.network, place.world)
    with pytest.raises(BadInput), place.store() as store:
        skip_days(store, store.series_held(first.series.id), SeriesDays(first_day=TUESDAY), place.world)


def test_one_ride_is_moved_and_one_that_was_promised_is_not_moved_unseen(place: TestTerritory) -> None:
    first = begin(place, weekdays=(1,))
    move = SeriesMove(day=MONDAY, to_day=MONDAY + dt.timedelta(days=1), arrive_by="09:15")
    with place.store() as store:
        moved = move_date(store, store.series_held(first.series.id), move, place.network, place.world)
    assert list(rides(place))[:2] == ["12-01 09:15", "12-07 07:30"]
    promised(place, moved.made[0].request_id or uuid4())
    with pytest.raises(Conflict, match="agreed"), place.store() as store:
        move_date(store, store.series_held(first.series.id), move, place.network, place.world)
    for wrong in ({"day": TUESDAY}, {"day": MONDAY, "to_day": dt.date(2026, 11, 20)}, {"day": MONDAY, "arrive_by": "13:00"}):
        with pytest.raises((BadInput, Conflict)), place.store() as store:
            bad = SeriesMove(**({"to_day": MONDAY} | wrong))  # type: ignore[arg-type]
            move_date(store, store.series_held(first.series.id), bad, place.network, place.world)
    assert list(rides(place))[:2] == ["12-01 09:15", "12-07 07:30"]


def test_a_single_ride_that_was_cancelled_is_not_asked_for_again(place: TestTerritory) -> None:
    first = begin(place, weekdays=(1,))
    with place.store() as store:
        request_id = first.made[0].request_id or uuid4()
        cancel_trip(store, store.requests([request_id])[request_id], place.world)
    turn(place, dt.timedelta(days=1))
    assert "11-30 07:30" not in rides(place)


def test_an_erased_person_has_no_series_any_more(place: TestTerritory) -> None:
    first = begin(place, weekdays=(1,))
    person = first.series.beneficiary_id
    with pytest.raises(Conflict), place.store() as store:
        erase_person(store, store.file_of(person), place.world)
    with place.store() as store:
        end_series(store, store.series_held(first.series.id), NOW.date(), place.world)
        erase_person(store, store.file_of(person), place.world)
    with place.store() as store:
        row = store.series_held(first.series.id)
        assert row.wish == {}
    turn(place, dt.timedelta(days=7))
    assert rides(place) == {}


def test_a_date_that_was_forgotten_would_be_found_in_a_simulated_month(place: TestTerritory) -> None:
    first = begin(place, weekdays=(1,))
    with place.store() as store:
        assert list(_forgotten_dates(store, MONDAY)) == []
        store.remove_date(first.made[0])
        assert list(_forgotten_dates(store, MONDAY)) == ["2026-11-30: a date of a series without a ride"]
