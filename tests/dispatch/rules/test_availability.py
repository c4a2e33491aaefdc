"""Spans of a day: weekly hours, extra spans, absences and papers, in any combination and on the nights of clock changes."""

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.model.clock import day_length_s, day_start
from dispatch.rules.availability import MOST_SPANS, Span, covers, holds_on, joined, spans_of, without

ZONE = "Europe/Paris"
DAY = dt.date(2026, 11, 24)  # a Tuesday
SPRING, AUTUMN = dt.date(2026, 3, 29), dt.date(2026, 10, 25)


@dataclass(frozen=True)
class Hours:
    weekday: int = 2
    starts: str = "08:00"
    ends: str = "12:00"
    valid_from: dt.date = dt.date(2026, 1, 1)
    valid_until: dt.date | None = None
    every_weeks: int = 1


def at(clock: str, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), ZoneInfo(ZONE)).astimezone(dt.UTC)


def span(begins: str, ends: str, day: dt.date = DAY) -> Span:
    return at(begins, day), at(ends, day)


def said(spans: list[Span]) -> list[str]:
    return [f"{a.astimezone(ZoneInfo(ZONE)):%H:%M}-{b.astimezone(ZoneInfo(ZONE)):%H:%M}" for a, b in spans]


CASES = [
    ([Hours()], [], [], {}, ["08:00-12:00"]),
    ([Hours(weekday=3)], [], [], {}, []),
    ([Hours(), Hours(starts="12:00", ends="14:00")], [], [], {}, ["08:00-14:00"]),
    ([Hours()], [span("11:00", "15:00")], [], {}, ["08:00-15:00"]),
    ([Hours()], [span("14:00", "15:00")], [], {"instead": True}, ["14:00-15:00"]),
    ([Hours()], [], [span("09:00", "10:00")], {}, ["08:00-09:00", "10:00-12:00"]),
    ([Hours()], [], [span("00:00", "23:00")], {}, []),
    ([Hours()], [span("18:00", "20:00")], [span("11:00", "19:00")], {}, ["08:00-11:00", "19:00-20:00"]),
    ([Hours()], [], [], {"until": at("10:00")}, ["08:00-10:00"]),
    ([Hours()], [], [], {"until": at("00:00")}, []),
    ([Hours(valid_until=DAY)], [], [], {}, ["08:00-12:00"]),
    ([Hours(valid_until=DAY - dt.timedelta(days=1))], [], [], {}, []),
    ([Hours(valid_from=DAY + dt.timedelta(days=1))], [], [], {}, []),
    ([Hours(ends="24:00")], [], [], {}, ["08:00-00:00"]),
]


@pytest.mark.parametrize(("weekly", "extra", "absences", "how", "expected"), CASES)
def test_what_was_said_makes_a_day(weekly: list[Hours], extra: list[Span], absences: list[Span], how: dict, expected: list[str]) -> None:  # type: ignore[type-arg]
    assert said(spans_of(DAY, ZONE, weekly, extra, absences, **how)) == expected


def test_every_other_week_counts_from_the_week_in_which_it_begins() -> None:
    hours = Hours(valid_from=dt.date(2026, 11, 12), every_weeks=2)  # a Thursday: the week of the 9th
    tuesdays = [dt.date(2026, 11, 10) + dt.timedelta(weeks=k) for k in range(6)]
    assert [holds_on(hours, day) for day in tuesdays] == [False, False, True, False, True, False]


@pytest.mark.parametrize(
    ("day", "starts", "ends", "hours"),
    [
        (SPRING, "00:00", "24:00", 23),
        (AUTUMN, "00:00", "24:00", 25),
        (SPRING, "01:00", "04:00", 2),
        (AUTUMN, "01:00", "04:00", 4),
        (AUTUMN, "02:15", "02:45", 1.5),  # both of them, and what is between
        (SPRING, "02:15", "02:45", 0),  # there is no such time
    ],
)
def test_nights_of_clock_changes_are_as_long_as_they_are(day: dt.date, starts: str, ends: str, hours: float) -> None:
    found = spans_of(day, ZONE, [Hours(weekday=7, starts=starts, ends=ends)], [], [])
    assert sum((b - a).total_seconds() for a, b in found) == hours * 3600


def test_of_too_many_spans_the_longest_stay() -> None:
    holes = [span(f"{hour:02}:00", f"{hour:02}:{5 + hour:02}") for hour in range(1, 23)]
    found = spans_of(DAY, ZONE, [Hours(starts="00:00", ends="24:00")], [], holes)
    assert len(found) == MOST_SPANS
    assert found == sorted(found)
    assert said(found)[0] == "00:00-01:00"


moments = st.integers(0, 36 * 4).map(lambda quarter: day_start(DAY, ZONE) + dt.timedelta(minutes=15 * quarter))
some_spans = st.lists(st.tuples(moments, moments).filter(lambda pair: pair[0] < pair[1]), max_size=8)
clocks = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
hours_of_the_day = st.tuples(clocks, clocks).filter(lambda pair: pair[0] < pair[1])
grids = st.lists(hours_of_the_day.map(lambda pair: Hours(weekday=DAY.isoweekday(), starts=pair[0], ends=pair[1])), max_size=5)


@given(grids, some_spans, some_spans, st.booleans(), st.none() | moments)
def test_a_moment_is_free_when_it_was_given_and_not_taken(
    weekly: list[Hours], extra: list[Span], absences: list[Span], instead: bool, until: dt.datetime | None
) -> None:
    found = spans_of(DAY, ZONE, weekly, extra, absences, instead=instead, until=until)
    given_spans = [*extra, *([] if instead else [span(h.starts, h.ends) for h in weekly])]
    for quarter in range(36 * 4):
        moment = day_start(DAY, ZONE) + dt.timedelta(minutes=15 * quarter + 7)
        free = any(a <= moment < b for a, b in given_spans) and not any(a <= moment < b for a, b in absences)
        free = free and (until is None or moment < until)
        assert covers(found, moment, moment) == free
    assert all(a < b for a, b in found)
    assert all(first[1] < second[0] for first, second in pairwise(found))


@given(some_spans, some_spans)
def test_taking_away_and_joining_lose_nothing_else(spans: list[Span], taken: list[Span]) -> None:
    whole = joined(spans)
    assert joined(whole) == whole
    assert without(without(whole, taken), taken) == without(whole, taken)
    assert joined([*without(whole, taken), *[s for t in taken for s in _common(whole, t)]]) == whole


def _common(spans: list[Span], other: Span) -> list[Span]:
    return [(max(a, other[0]), min(b, other[1])) for a, b in spans if max(a, other[0]) < min(b, other[1])]


@given(st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 31)), hours_of_the_day)
def test_weekly_hours_stay_in_their_day(day: dt.date, pair: tuple[str, str]) -> None:
    found = spans_of(day, ZONE, [Hours(weekday=day.isoweekday(), starts=pair[0], ends=pair[1])], [], [])
    start = day_start(day, ZONE)
    end = start + dt.timedelta(seconds=day_length_s(day, ZONE))
    assert all(start <= a < b <= end for a, b in found)
