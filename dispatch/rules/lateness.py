"""When a car will be at its next stops, from what is known of it: taps, and where it was last.

In: stops in the order of driving as they were planned, with what has happened there. Out: a moment for each. Called by `service.lateness`.
Nothing is said before anything is known of the run: silence is no lateness. Between stops the planned road times hold; a car that is early
waits until the planned departure, one that is late stays only as long as getting in and out takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSoFar:
    """A stop as planned, and what has happened there."""

    arrive_at: datetime
    depart_at: datetime
    handling: timedelta = timedelta()  # getting in or out
    arrived: datetime | None = None
    left: datetime | None = None
    skipped: bool = False  # nobody is brought there any more


def expected_arrivals(stops: Sequence[StopSoFar], reaches: tuple[int, datetime] | None = None) -> list[datetime | None]:
    """When the car was, or will be, at each stop; None where nothing is known before it.

    `reaches`: the number of the stop that it was on the way to when it told where it was, and when it is there by road from that place.
    O(stops).
    """
    found: list[datetime | None] = []
    left: datetime | None = None  # when the car goes on from the stop before
    for number, stop in enumerate(stops):
        arrives = left + _drive(stops, number) if left is not None else None
        if reaches is not None and reaches[0] == number:
            arrives = reaches[1]
        arrives = stop.arrived or arrives
        found.append(arrives)
        if stop.left is not None:
            left = stop.left
        elif stop.skipped:
            left = arrives
        elif arrives is not None:
            left = max(arrives + stop.handling, stop.depart_at)
    return found


def _drive(stops: Sequence[StopSoFar], number: int) -> timedelta:
    return max(timedelta(), stops[number].arrive_at - stops[number - 1].depart_at)
