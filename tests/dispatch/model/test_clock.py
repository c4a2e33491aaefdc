"""From what people write to an instant, on ordinary days and on nights when the clocks change."""

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dispatch.model.clock import Clock, Zone, day_length_s, day_start, to_clock, to_instant

ZONES = st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Cayenne", "Pacific/Noumea", "America/Miquelon", "UTC"])
DATES = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 30))
SPRING, AUTUMN = dt.date(2026, 3, 29), dt.date(2026, 10, 25)


@given(ZONES, DATES, st.times().map(lambda t: t.replace(second=0, microsecond=0)))
def test_a_wall_clock_shows_itself_again(zone: str, day: dt.date, wall: dt.time) -> None:
    try:
        instant = to_instant(day, f"{wall:%H:%M}", zone)
    except ValueError:
        assume(False)  # a clock that is skipped or repeated: tested below
    assert instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == dt.datetime.combine(day, wall)
    assert instant.utcoffset() == dt.timedelta(0)


@given(ZONES, DATES, st.integers(0, 24 * 60 - 1), st.integers(-14 * 4, 14 * 4))
def test_an_instant_with_its_offset_is_that_instant(zone: str, day: dt.date, minute: int, quarters: int) -> None:
    moment = dt.datetime.combine(day, dt.time(minute // 60, minute % 60), dt.timezone(dt.timedelta(minutes=15 * quarters)))
    assert to_instant(day, moment.isoformat(), zone) == moment


@given(ZONES, DATES)
def test_days_follow_each_other_without_gap_or_overlap(zone: str, day: dt.date) -> None:
    after = day + dt.timedelta(days=1)
    assert day_start(day, zone) + dt.timedelta(seconds=day_length_s(day, zone)) == day_start(after, zone) == to_instant(day, "24:00", zone)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (dt.date(2026, 6, 1), 24)])
def test_a_day_has_the_hours_it_has(day: dt.date, hours: int) -> None:
    assert day_length_s(day, "Europe/Paris") == hours * 3600


@pytest.mark.parametrize(("day", "what"), [(SPRING, "does not exist"), (AUTUMN, "twice")])
def test_a_clock_that_is_skipped_or_repeated_is_refused_with_a_way_out(day: dt.date, what: str) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        to_instant(day, "02:30", "Europe/Paris")
    written = str(caught.value).rsplit(" ", 1)[1]  # the sentence shows how to write it
    assert to_instant(day, written, "Europe/Paris").date() == day


@pytest.mark.parametrize(
    "text", ["", "8:00", "24:01", "23:60", "08h00", "0800", "08:00:00", "2026-11-24", "2026-11-24T08:00", "now", "２3:00", "08:00 "]
)
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a time"):
        TypeAdapter(Clock).validate_python(text)


@pytest.mark.parametrize("name", ["", "Paris", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "Europe/Paris\0"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="time zone"):
        TypeAdapter(Zone).validate_python(name)


#: Every zone there is: half hours, clocks that change at midnight, days that a country skipped.
ALL_ZONES = st.sampled_from(sorted(available_timezones()))
LIVED_DATES = st.dates(dt.date(1990, 1, 1), dt.date(2037, 12, 30))
NIGHTS = st.builds(dt.date, st.integers(2000, 2036), st.sampled_from([3, 4, 9, 10, 11]), st.integers(1, 30))  # when clocks change


def instants_of(day: dt.date, wall: dt.time, zone: ZoneInfo) -> list[dt.datetime]:
    """Every instant at which this clock showed on a wall of the zone, earliest first: tried out with each offset of those days."""
    shown = dt.datetime.combine(day, wall)
    about = shown.replace(tzinfo=dt.UTC)
    offsets = {(about + dt.timedelta(hours=h)).astimezone(zone).utcoffset() or dt.timedelta(0) for h in range(-40, 41)}
    tried = {about - offset for offset in offsets}
    return sorted(moment for moment in tried if moment.astimezone(zone).replace(tzinfo=None) == shown)


@given(ALL_ZONES, LIVED_DATES | NIGHTS, st.integers(1, 24 * 60 - 1))
def test_a_clock_is_taken_exactly_when_the_wall_showed_it_once(zone: str, day: dt.date, minute: int) -> None:
    wall = dt.time(minute // 60, minute % 60)
    found = instants_of(day, wall, ZoneInfo(zone))
    if len(found) == 1:
        assert to_instant(day, f"{wall:%H:%M}", zone) == found[0]
    else:
        with pytest.raises(ValueError, match="twice" if found else "does not exist"):
            to_instant(day, f"{wall:%H:%M}", zone)


@given(ALL_ZONES, LIVED_DATES | NIGHTS)
def test_a_day_starts_when_its_first_midnight_shows(zone: str, day: dt.date) -> None:
    midnights = instants_of(day, dt.time(0, 0), ZoneInfo(zone))
    assume(midnights)
    assert day_start(day, zone) == midnights[0]


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [("America/Santiago", dt.date(2026, 9, 6), "01:00"), ("Africa/Cairo", dt.date(2026, 4, 24), "01:00")],
)
def test_a_day_whose_midnight_is_skipped_starts_at_its_first_minute(zone: str, day: dt.date, first: str) -> None:
    assert day_start(day, zone) == to_instant(day, "00:00", zone) == to_instant(day, first, zone)
    assert day_length_s(day, zone) == 23 * 3600


@given(st.integers(2000, 2037), st.sampled_from([3, 6, 10]))
def test_european_days_have_23_24_or_25_hours_on_the_last_sundays(year: int, month: int) -> None:
    last = dt.date(year, month, 30 if month == 6 else 31)
    sunday = last - dt.timedelta(days=(last.weekday() + 1) % 7)
    assert day_length_s(sunday, "Europe/Paris") == {3: 23, 6: 24, 10: 25}[month] * 3600
    assert day_length_s(sunday - dt.timedelta(days=1), "Europe/Paris") == 24 * 3600


@pytest.mark.parametrize("text", ["1\u0660:40", "1\uff10:40", "10:4\u0966"])
def test_digits_of_other_scripts_are_no_clock(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a time"):
        TypeAdapter(Clock).validate_python(text)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (dt.date(9999, 12, 31), "24:00"),
        (dt.date(2026, 11, 24), "9999-12-31T23:59-14:00"),
        (dt.date(2026, 11, 24), "0001-01-01T00:00+14:00"),
        (dt.date(1, 1, 1), "00:00"),
    ],
)
def test_a_clock_beyond_the_calendar_is_refused(day: dt.date, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        to_instant(day, text, "Europe/Paris")


@given(ZONES, st.sampled_from([SPRING, AUTUMN, dt.date(2026, 7, 1)]), st.integers(-36 * 60, 60 * 60), st.sampled_from([0, 30]))
def test_every_instant_around_a_day_has_a_clock_that_leads_back_to_it(zone: str, day: dt.date, minute: int, second: int) -> None:
    instant = day_start(day, zone) + dt.timedelta(minutes=minute, seconds=second)
    clock = to_clock(day, instant, zone)
    assert TypeAdapter(Clock).validate_python(clock) == clock
    assert to_instant(day, clock, zone) == instant


@pytest.mark.parametrize(("hours", "clock"), [(10, "10:00"), (24, "24:00"), (25, "2026-07-02T01:00:00+02:00")])
def test_a_clock_is_as_short_as_it_can_be(hours: int, clock: str) -> None:
    day = dt.date(2026, 7, 1)
    assert to_clock(day, day_start(day, "Europe/Paris") + dt.timedelta(hours=hours), "Europe/Paris") == clock
