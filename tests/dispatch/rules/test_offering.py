"""Until when an answer is waited for: shorter when the ride is near, never at night, never beyond the ride."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.model.rules import Offering
from dispatch.rules.offering import Asking, asking, morning_after, reminders_due

PARIS = "Europe/Paris"
ZONE = ZoneInfo(PARIS)
RULES = Offering()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


def told(asked: Asking) -> tuple[str, str]:
    sent, expires = asked.send_at.astimezone(ZONE).strftime("%d %H:%M"), asked.expires_at.astimezone(ZONE).strftime("%d %H:%M")
    return sent, expires


@pytest.mark.parametrize(
    ("now", "pickup", "expected"),
    [
        ("2026-11-23T09:00", "2026-11-26T10:00", ("23 09:00", "23 13:00")),  # days ahead: the usual four hours
        ("2026-11-23T09:00", "2026-11-24T08:00", ("23 09:00", "23 10:00")),  # within a day: an hour
        ("2026-11-23T09:00", "2026-11-23T12:00", ("23 09:00", "23 09:20")),  # within hours: twenty minutes
        ("2026-11-23T09:00", "2026-11-23T09:10", ("23 09:00", "23 09:10")),  # never beyond the ride
        ("2026-11-23T22:00", "2026-11-26T10:00", ("24 07:30", "24 11:30")),  # at night: in the morning
        ("2026-11-23T22:00", "2026-11-24T08:00", ("23 22:00", "23 23:00")),  # unless the ride is too near for that
        ("2026-11-23T18:30", "2026-11-26T10:00", ("23 18:30", "24 08:30")),  # no end at night
    ],
)
def test_the_time_to_answer_fits_the_ride_and_the_night(now: str, pickup: str, expected: tuple[str, str]) -> None:
    assert told(asking(RULES, 240, at(pickup), at(now), PARIS)) == expected


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31)),
    st.integers(1, 20_000),
    st.integers(5, 20_000),
)
def test_there_is_always_time_to_answer_and_it_ends_before_the_ride(now: dt.datetime, ahead: int, minutes: int) -> None:
    present = now.replace(tzinfo=dt.UTC)
    pickup = present + dt.timedelta(minutes=ahead)
    asked = asking(RULES, minutes, pickup, present, PARIS)
    assert present <= asked.send_at < asked.expires_at <= pickup


@pytest.mark.parametrize("night", ["2026-10-25", "2026-03-29"])
def test_the_morning_comes_at_its_hour_on_the_nights_of_clock_changes(night: str) -> None:
    found = morning_after(RULES, at(f"{night}T03:30"), PARIS)
    assert found is not None
    assert found.astimezone(ZONE) == at(f"{night}T07:30")
    assert morning_after(RULES, at(f"{night}T12:00"), PARIS) is None
    assert morning_after(Offering(quiet_from="07:00", quiet_until="07:00"), at(f"{night}T03:30"), PARIS) is None


def test_somebody_is_reminded_at_half_of_the_time_and_near_its_end_and_never_at_night() -> None:
    asked = Asking(at("2026-11-23T09:00"), at("2026-11-23T13:00"))
    moments = ("10:59", "11:00", "12:11", "12:12", "21:30")
    assert [reminders_due(RULES, asked, at(f"2026-11-23T{clock}"), PARIS) for clock in moments] == [0, 1, 1, 2, 0]
    assert reminders_due(Offering(reminders=0), asked, at("2026-11-23T12:30"), PARIS) == 0
