"""Booking rules: which of them says no, and until when it would have been possible, also over the nights of clock changes."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.model.rules import Booking
from dispatch.rules.booking import booking_faults, last_call

PARIS = "Europe/Paris"
ZONE = ZoneInfo(PARIS)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


def codes(rules: Booking, moment: str, now: str, purpose: str | None = None) -> list[str]:
    return [fault.code for fault in booking_faults(rules, at(moment), purpose, at(now), PARIS, "arrive_by")]  # type: ignore[arg-type]


def test_without_rules_anything_within_the_horizon_may_be_asked_for() -> None:
    assert codes(Booking(), "2026-11-24T10:00", "2026-11-24T09:59") == []
    assert codes(Booking(horizon_days=7), "2026-12-02T10:00", "2026-11-24T09:59") == ["too_far_ahead"]


@pytest.mark.parametrize(("now", "found"), [("2026-11-22T10:00", []), ("2026-11-22T10:01", ["short_notice"])])
def test_notice_is_counted_from_now(now: str, found: list[str]) -> None:
    assert codes(Booking(notice_minutes=48 * 60), "2026-11-24T10:00", now) == found


@pytest.mark.parametrize(("now", "found"), [("2026-11-23T17:00", []), ("2026-11-23T17:01", ["after_cut_off"])])
def test_a_cut_off_is_on_the_wall_of_the_day_before(now: str, found: list[str]) -> None:
    assert codes(Booking(cut_off="17:00"), "2026-11-24T10:00", now) == found


def test_a_ride_is_for_what_the_territory_drives_for() -> None:
    rules = Booking(purposes=("medical",))
    assert codes(rules, "2026-11-24T10:00", "2026-11-20T10:00", "grocery") == ["not_driven_for"]
    assert codes(rules, "2026-11-24T10:00", "2026-11-20T10:00") == ["not_driven_for"]
    assert codes(rules, "2026-11-24T10:00", "2026-11-20T10:00", "medical") == []


def test_a_territory_that_drives_on_weekdays_in_the_morning_says_so() -> None:
    rules = Booking(weekdays=(0, 1, 2, 3, 4), open_from="08:00", open_until="12:00")
    for moment, found in (("2026-11-27T08:00", []), ("2026-11-27T12:01", ["outside_hours"]), ("2026-11-28T10:00", ["closed_that_day"])):
        assert codes(rules, moment, "2026-11-20T10:00") == found


@pytest.mark.parametrize("day", ["2026-10-25", "2026-10-26", "2026-03-29", "2026-03-30"])
def test_the_last_call_stays_at_its_hour_over_a_clock_change(day: str) -> None:
    told = last_call(Booking(cut_off="17:00"), at(f"{day}T10:00"), PARIS).astimezone(ZONE)
    assert (told.hour, told.minute, told.date()) == (17, 0, dt.date.fromisoformat(day) - dt.timedelta(days=1))


@given(st.integers(0, 30), st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)), st.integers(0, 40 * 24 * 60))
def test_whatever_may_be_asked_for_later_may_be_asked_for_earlier(days: int, moment: dt.datetime, before: int) -> None:
    rules, ride = Booking(cut_off="17:00", cut_off_days=days, notice_minutes=120), moment.replace(tzinfo=dt.UTC)
    late, early = ride - dt.timedelta(minutes=before), ride - dt.timedelta(minutes=before + 60)
    if not booking_faults(rules, ride, None, late, PARIS, "arrive_by"):
        assert not booking_faults(rules, ride, None, early, PARIS, "arrive_by")
