"""Timetables: each time comes once a day, also on the nights on which the clocks change."""

import datetime as dt

import pytest
from pydantic import ValidationError

from dispatch.model.slots import Slot, due_slots, slot_instant

PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        ("2026-11-24", "17:00", "2026-11-24T16:00Z"),
        ("2026-07-24", "17:00", "2026-07-24T15:00Z"),
        ("2027-03-28", "02:30", "2027-03-28T01:30Z"),  # there is no such time: an hour later on the wall
        ("2027-10-31", "02:30", "2027-10-31T00:30Z"),  # there are two: the first
        ("2027-03-28", "03:00", "2027-03-28T01:00Z"),
        ("2027-10-31", "03:00", "2027-10-31T02:00Z"),
    ],
)
def test_a_time_of_day_is_one_instant(day: str, at: str, instant: str) -> None:
    assert slot_instant(dt.date.fromisoformat(day), at, PARIS) == dt.datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    "night", [dt.date(2026, 11, 24), dt.date(2027, 3, 28), dt.date(2027, 10, 31), dt.date(2028, 2, 29), dt.date(2026, 12, 31)]
)
@pytest.mark.parametrize("zone", [PARIS, "America/Guadeloupe", "Indian/Reunion"])
def test_every_time_is_due_once_whatever_the_night(night: dt.date, zone: str) -> None:
    timetable = [Slot(at=f"{hour:02}:30", ahead=ahead) for hour in range(24) for ahead in (0, 1)]
    start = dt.datetime.combine(night - dt.timedelta(days=1), dt.time(12), dt.UTC)
    due = {
        (day, slot) for step in range(48 * 6) for day, slot in due_slots(timetable, zone, start + step * dt.timedelta(minutes=10)).items()
    }
    times = sorted(slot for day, slot in due if day == night + dt.timedelta(days=1))
    first, last = (slot_instant(day, "00:00", zone) for day in (night, night + dt.timedelta(days=1)))
    tomorrow = [slot for slot in times if first <= slot < last]
    expected = {slot_instant(night, f"{hour:02}:30", zone) for hour in range(24)}
    assert set(tomorrow) == expected
    assert len(expected) == (23 if zone == PARIS and night == dt.date(2027, 3, 28) else 24)


def test_what_passed_long_ago_is_let_go_and_of_several_the_latest_counts() -> None:
    timetable = [Slot(at="16:00"), Slot(at="17:00"), Slot(at="06:00", ahead=0), Slot(at="23:30", ahead=0)]
    now = dt.datetime(2026, 11, 24, 16, 30, tzinfo=dt.UTC)  # half past five
    assert due_slots(timetable, PARIS, now) == {dt.date(2026, 11, 25): dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)}
    assert due_slots(timetable, PARIS, now + dt.timedelta(hours=4)) == {}
    midnight = dt.datetime(2026, 11, 24, 23, 30, tzinfo=dt.UTC)  # the day that was to be planned is over
    assert due_slots(timetable, PARIS, midnight) == {}


@pytest.mark.parametrize(
    "slot", [{"at": "24:00"}, {"at": "9:00"}, {"at": "17:00", "ahead": 15}, {"at": "17:00", "ahead": -1}, {"at": "17:00\n"}, {}]
)
def test_a_time_that_is_none_is_refused(slot: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Slot.model_validate(slot)
