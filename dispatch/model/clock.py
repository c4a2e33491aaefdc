"""Times as people write them, and the one way from there to an instant.

In: a service date, a zone, and either a wall clock "HH:MM" or an ISO date-time with its offset.
Out: an aware UTC datetime. A wall clock that the night of a clock change skips or repeats is refused.
"""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

_WALL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
#: Service days; instants within a day or two of them have a form in every zone.
FIRST, LAST = date(1970, 1, 1), date(2200, 1, 1)


def check_clock(text: str) -> str:
    """Accept a `Clock`; ValueError otherwise, with a sentence that does not repeat it."""
    if _WALL.fullmatch(text):
        return text
    try:
        moment = datetime.fromisoformat(text) if text.isascii() else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not FIRST <= moment.date() <= LAST:
        raise ValueError('must be a time such as "10:40", or a date-time with its offset such as "2026-11-24T10:40+01:00"')
    return text


Clock = Annotated[str, AfterValidator(check_clock)]


def _check_date(given: Any) -> Any:
    if isinstance(given, str) and _DATE.fullmatch(given):
        with suppress(ValueError):
            given = date.fromisoformat(given)
    if type(given) is not date or not FIRST <= given <= LAST:
        raise ValueError("must be a date such as 2026-11-24")
    return given


ServiceDate = Annotated[date, BeforeValidator(_check_date)]


def check_zone(name: str) -> str:
    """Accept a name of the IANA time zone database only."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone name such as Europe/Paris") from None
    return name


Zone = Annotated[str, AfterValidator(check_zone)]


def day_start(day: date, zone: str) -> datetime:
    """Local midnight of the service day, as an instant (UTC)."""
    return _from_wall(day, time(0, 0), ZoneInfo(zone))


def day_length_s(day: date, zone: str) -> int:
    """Seconds in the service day: 23, 24 or 25 hours."""
    return int((day_start(day + timedelta(days=1), zone) - day_start(day, zone)).total_seconds())


def to_instant(day: date, clock: str, zone: str) -> datetime:
    """The instant (UTC) of a `Clock` on a service day.

    Raises ValueError when the wall clock does not exist, or exists twice, on the night of a clock change.
    """
    if clock == "24:00" and day <= LAST:
        return day_start(day + timedelta(days=1), zone)
    if _WALL.fullmatch(clock):
        return _from_wall(day, time.fromisoformat(clock), ZoneInfo(zone))
    moment = datetime.fromisoformat(clock)
    if not FIRST <= moment.date() <= LAST:
        raise ValueError("is beyond the calendar")
    return moment.astimezone(UTC)


def to_clock(day: date, instant: datetime, zone: str) -> str:
    """The `Clock` of an instant: as on the wall where that says it all, otherwise a date-time with its offset."""
    local = instant.astimezone(ZoneInfo(zone))
    for wall in (f"{local:%H:%M}", "24:00"):
        with suppress(ValueError):
            if to_instant(day, wall, zone) == instant:
                return wall
    return local.isoformat()


def _from_wall(day: date, wall: time, zone: ZoneInfo) -> datetime:
    if not FIRST <= day <= LAST + timedelta(days=1):
        raise ValueError("is beyond the calendar")
    local = datetime.combine(day, wall, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        if wall == time(0, 0):  # zones that change clocks at midnight: the day starts at the first minute there is
            return instant
        raise ValueError("does not exist on this day: the clocks go forward; write the offset, such as 2026-03-29T03:30+02:00")
    if wall != time(0, 0) and local.replace(fold=1).utcoffset() != local.utcoffset():
        raise ValueError("happens twice on this day: the clocks go back; write the offset, such as 2026-10-25T02:30+01:00")
    return instant
