"""The dates of a series, and at which instants its rides are: wall-clock times stay what they are when the clocks change.

In: a pattern, days, a zone, the territory's holidays. Out: dates; a `NewTrip` of one of them. Called by `service.series`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import WEEKLY, rrule

from dispatch.model.intake import NewTrip, Wish
from dispatch.model.series import NewSeries, Times


def dates_of(series: NewSeries, first: date, last: date) -> Sequence[date]:
    """Dates of the pattern from `first` to `last`, holidays among them."""
    until = last if series.last_day is None else min(last, series.last_day)
    weekdays = [weekday - 1 for weekday in series.weekdays]
    begin = datetime.combine(series.first_day, time(0))  # days have no zone
    rule = rrule(WEEKLY, dtstart=begin, interval=series.every_weeks, byweekday=weekdays, wkst=0)
    days = (moment.date() for moment in rule.xafter(datetime.combine(max(first, series.first_day), time(0)), inc=True))
    return list(takewhile(lambda day: day <= until, days))


def trip_on(series: NewSeries, day: date, zone: str, other: Times | None = None) -> NewTrip | None:
    """The wish of one date, at the series' times or at `other` ones; None when the clocks skip such a time on that day.

    ValueError when other times do not go together with the series'.
    """
    times = {name: getattr(series, name) for name in Times.model_fields}
    if other is not None:
        given = {name: at for name in Times.model_fields if (at := getattr(other, name)) is not None}
        if given.keys() & {"arrive_by", "depart_after"}:
            times |= {"arrive_by": None, "depart_after": None}
        times |= given
    instants = {name: _instant(day, at, ZoneInfo(zone)) for name, at in times.items() if at is not None}
    if None in instants.values():
        return None
    wish = series.model_dump(include=set(Wish.model_fields))
    if instants.keys() & {"return_after"}:
        wish["return_open"] = False
    return NewTrip.model_validate(wish | instants)


def _instant(day: date, at: str, zone: ZoneInfo) -> datetime | None:
    """UTC; the first of two; None for a time that is not there."""
    wall = datetime.combine(day, time.fromisoformat(at), zone)
    instant = wall.astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None) else None
