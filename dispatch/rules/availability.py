"""When a volunteer is free on a day: weekly hours, extra spans, absences and papers, resolved into spans.

In: a day, a zone, what was said. Out: spans in order that neither overlap nor touch, at most `MOST_SPANS`. Called by
`service.availability`.

On the nights of clock changes a clock of the weekly hours that there is not cuts the span short, and one that there is twice makes it
longer: the begin is the first of two, the end the second one.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from dispatch.model.clock import day_length_s, day_start

Span = tuple[datetime, datetime]
MOST_SPANS = 12  # as many as a day to be planned may hold (`model.day`)


class Weekly(Protocol):
    """Hours of a weekday."""

    @property
    def weekday(self) -> int: ...
    @property
    def starts(self) -> str: ...
    @property
    def ends(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...
    @property
    def every_weeks(self) -> int: ...


def spans_of(
    day: date,
    zone: str,
    weekly: Iterable[Weekly],
    extra: Collection[Span],
    absences: Iterable[Span],
    *,
    instead: bool = False,
    until: datetime | None = None,
) -> list[Span]:
    """What is left of a day.

    `extra`: spans that begin on it; `instead`: they are all there is, the weekly hours do not hold on this day. `until`: nothing holds from
    then on, such as a paper. Of more than `MOST_SPANS` the longest stay. O(n log n).
    """
    spans = list(extra)
    if not instead:
        spans += [span for hours in weekly if holds_on(hours, day) and (span := _on_the_wall(day, hours, zone)) is not None]
    left = without(joined(spans), [*absences, *([] if until is None else [(until, datetime.max.replace(tzinfo=UTC))])])
    return sorted(sorted(left, key=lambda span: span[0] - span[1])[:MOST_SPANS])


def holds_on(hours: Weekly, day: date) -> bool:
    """Whether these are hours of this day; every so many weeks counts from the week in which they begin."""
    if day.isoweekday() != hours.weekday or day < hours.valid_from or (hours.valid_until is not None and day > hours.valid_until):
        return False
    monday = hours.valid_from - timedelta(days=hours.valid_from.weekday())
    return (day - monday).days // 7 % hours.every_weeks == 0


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans that overlap or touch become one."""
    found: list[Span] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(ends, found[-1][1]))
        else:
            found.append((begins, ends))
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of spans in order."""
    left = list(spans)
    for begins, ends in taken:
        left = [
            part
            for span in left
            for part in ((span[0], min(span[1], begins)), (max(span[0], ends), span[1]))
            if part[0] < part[1] and (part[1] <= begins or part[0] >= ends)
        ]
    return left


def covers(spans: Sequence[Span], begins: datetime, ends: datetime) -> bool:
    """Whether one of the spans holds all of a time."""
    return any(span[0] <= begins and ends <= span[1] for span in spans)


def _on_the_wall(day: date, hours: Weekly, zone: str) -> Span | None:
    """None for hours that a clock change swallows."""
    begins, ends = _instant(day, hours.starts, zone, fold=0), _instant(day, hours.ends, zone, fold=1)
    return (begins, ends) if begins < ends else None


def _instant(day: date, clock: str, zone: str, fold: int) -> datetime:
    if clock == "24:00":
        return day_start(day, zone) + timedelta(seconds=day_length_s(day, zone))
    if clock == "00:00":
        return day_start(day, zone)
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone)).replace(fold=fold).astimezone(UTC)
