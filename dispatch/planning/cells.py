"""A large day in pieces: which volunteers and which requests are planned together.

In: a `Day`, the runs it has so far. Out: `Cell`s: days of their own that together hold every volunteer once and every way once.
Called by `dispatch.engine.large_day`, which plans them side by side and cuts again elsewhere, so that people cross the borders.

Recursive bisection along the widest of east, north and time. A volunteer stands where the present run is (at home without one) and takes
along the people of that run and those promised; somebody without a ride stands between the two ends of it. Where the two ways of a request
fall into two cells, each cell sees its own way, and the other as over.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.model.clock import day_start, to_instant
from dispatch.model.day import Day, Direction, Driver, OverLeg, Request
from dispatch.model.plans import Run

KM_PER_HOUR = 5.0  # an hour apart counts as so many kilometres: a volunteer's day is long, the way to the next person is not
LegId = tuple[str, Direction]
RunId = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a day, as a day."""

    day: Day
    shared: frozenset[LegId]  # ways whose other way is in another cell


class _Item(NamedTuple):
    """What a cut moves as a whole: a volunteer with people, or a request without a volunteer."""

    at: npt.NDArray[np.float64]  # [3] east km, north km, hours x KM_PER_HOUR
    legs: int
    driver: str | None
    request: str | None


def cut_day(day: Day, runs: Mapping[RunId, Run], most_legs: int, share: float = 0.5, turn: int = 0) -> list[Cell]:
    """Cut until no cell has more legs than that, or cannot be cut.

    `share` of the legs goes to one side: other shares, other borders. The first cut is along the widest direction, or with `turn` along the
    next ones: people whom one cut leaves without any volunteer near meet some in another.

    Cost O(n log^2 n) for n volunteers and requests.
    """
    holder = _holders(day, runs)
    items = _items(day, runs, holder)
    return [_cell(day, piece, holder) for piece in _bisected(items, most_legs, share, turn)]


def ways_of(day: Day) -> list[LegId]:
    """Every way that is to be planned."""
    over = {(leg.request, leg.leg) for leg in day.over}
    ways: list[LegId] = []
    for request in day.requests:
        both: tuple[Direction, ...] = ("outbound",) if request.return_after is None else ("outbound", "return")
        ways += [(request.id, way) for way in both if (request.id, way) not in over]
    return ways


def _holders(day: Day, runs: Mapping[RunId, Run]) -> dict[LegId, str]:
    """The volunteer whom a way must stay with: of its run, else of its promise, else the one who is required or drove the other way."""
    holder: dict[LegId, str] = {}
    other = {leg.request: leg.driver for leg in day.over if leg.driver is not None}
    for request in day.requests:
        driver = request.requires_driver or (other.get(request.id) if request.same_driver == "require" else None)
        if driver is not None:
            holder[request.id, "outbound"] = holder[request.id, "return"] = driver
    holder |= {(promise.request, promise.leg): promise.driver for promise in day.promises}
    for started in day.started:
        holder |= {(stop.request, stop.leg): started.driver for stop in started.committed}
    holder |= {(leg.request, leg.leg): run.driver for run in runs.values() for leg in run.legs}
    known = {driver.id for driver in day.drivers}
    holder = {leg: driver for leg, driver in holder.items() if driver in known}
    for request in day.requests:  # both ways with one volunteer, where that is needed
        there: LegId = (request.id, "outbound")
        back: LegId = (request.id, "return")
        if request.same_driver == "require" and (there in holder or back in holder):
            holder[there] = holder[back] = holder.get(there) or holder[back]
    return holder


def _items(day: Day, runs: Mapping[RunId, Run], holder: Mapping[LegId, str]) -> list[_Item]:
    ways = ways_of(day)
    held: dict[str, int] = {}
    free: dict[str, int] = {}
    for way in ways:
        if way in holder:
            held[holder[way]] = held.get(holder[way], 0) + 1
        else:
            free[way[0]] = free.get(way[0], 0) + 1
    followed = {way[0]: holder[way] for way in ways if way in holder}  # the other way goes along
    for name in [name for name in free if name in followed]:
        held[followed[name]] = held.get(followed[name], 0) + free.pop(name)
    start = day_start(day.date, day.timezone)
    scale = np.array([111.2 * np.cos(np.radians(_latitude(day))), 111.2])

    def hours(clock: str) -> float:
        return (to_instant(day.date, clock, day.timezone) - start).total_seconds() / 3600

    mine: dict[str, list[Run]] = {}
    for run in runs.values():
        mine.setdefault(run.driver, []).append(run)
    items = [_Item(_volunteer_at(d, mine.get(d.id, []), scale, hours, start), held.get(d.id, 0), d.id, None) for d in day.drivers]
    for request in day.requests:
        if request.id in free:
            place = (np.array(request.origin) + np.array(request.destination)) / 2 * scale
            moment = hours(request.arrive_by or request.depart_after or "12:00")
            if request.return_after is not None:
                moment = (moment + hours(request.return_after)) / 2
            items.append(_Item(np.append(place, moment * KM_PER_HOUR), free[request.id], None, request.id))
    return items


def _latitude(day: Day) -> float:
    return float(np.mean([driver.home[1] for driver in day.drivers] or [0.0]))


def _volunteer_at(
    driver: Driver, runs: Sequence[Run], scale: npt.NDArray[np.float64], hours: Callable[[str], float], start: dt.datetime
) -> npt.NDArray[np.float64]:
    stops = [stop for run in runs for stop in run.stops if stop.request is not None]
    if stops:
        places = np.array([stop.place for stop in stops]) * scale
        moments = [(stop.start - start).total_seconds() / 3600 for stop in stops]
        return np.append(places.mean(axis=0), np.mean(moments) * KM_PER_HOUR)
    spans = [hours(clock) for shift in driver.shifts for clock in shift]
    return np.append(np.array(driver.home) * scale, (np.mean(spans) if spans else 12.0) * KM_PER_HOUR)


def _bisected(items: list[_Item], most_legs: int, share: float, turn: int) -> list[list[_Item]]:
    """By order along the widest direction, so that even what stands in one point is cut."""
    legs = sum(item.legs for item in items)
    if legs <= most_legs or len(items) < 2:
        return [items]
    at = np.array([item.at for item in items])
    low, high = np.percentile(at, (5, 95), axis=0)
    axis = int(np.argsort(low - high, kind="stable")[turn % len(low)])
    order = np.argsort(at[:, axis], kind="stable")
    before = np.cumsum([items[k].legs for k in order])
    middle = min(max(1, int(np.searchsorted(before, share * legs))), len(items) - 1)
    left, right = ([items[k] for k in part] for part in (order[:middle], order[middle:]))
    return _bisected(left, most_legs, share, 0) + _bisected(right, most_legs, share, 0)


def _cell(day: Day, items: Sequence[_Item], holder: Mapping[LegId, str]) -> Cell:
    drivers = {item.driver for item in items if item.driver is not None}
    free = {item.request for item in items if item.request is not None}
    over = {(leg.request, leg.leg): leg for leg in day.over}
    mine: set[LegId] = set()
    followed: dict[str, str] = {}
    ways = ways_of(day)
    for way in ways:
        if way in holder:
            followed.setdefault(way[0], holder[way])
    for way in ways:
        driver = holder.get(way) or followed.get(way[0])
        if (way[0] in free) if driver is None else (driver in drivers):
            mine.add(way)
    asked = {request for request, _ in mine}
    requests = tuple(request for request in day.requests if request.id in asked)
    elsewhere = {way for way in ways if way[0] in asked and way not in mine}
    shared = frozenset(way for way in mine if _other(way) in elsewhere)
    more = [OverLeg(request=request, leg=way) for request, way in sorted(elsewhere)]
    promises = tuple(p for p in day.promises if (p.request, p.leg) in mine)
    told = {promise.driver for promise in promises} - drivers  # they drive elsewhere, but whom they were promised to must know them
    inside = [
        driver if driver.id in drivers else driver.model_copy(update={"shifts": ()})
        for driver in day.drivers
        if driver.id in drivers | told
    ]
    piece = day.model_copy(
        update={
            "drivers": tuple(inside),
            "requests": tuple(_without_strangers(request, drivers) for request in requests),
            "promises": promises,
            "over": (*(leg for name, leg in over.items() if name[0] in asked), *more),
            "started": tuple(run for run in day.started if run.driver in drivers),
            "locked_runs": tuple(run for run in day.locked_runs if run.driver in drivers),
        }
    )
    return Cell(piece, shared)


def _other(way: LegId) -> LegId:
    return (way[0], "return" if way[1] == "outbound" else "outbound")


def _without_strangers(request: Request, drivers: set[str]) -> Request:
    """Nobody outside the cell is refused in it."""
    return request if not request.refuses else request.model_copy(update={"refuses": tuple(d for d in request.refuses if d in drivers)})
