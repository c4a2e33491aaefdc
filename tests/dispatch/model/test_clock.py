"""From what people write to an instant, on ordinary days and on nights when the clocks change."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dispatch.model.clock import Clock, Zone, day_length_s, day_start, to_instant

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
