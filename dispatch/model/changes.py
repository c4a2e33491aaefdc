"""A day with one thing changed: what a `SmallestChange` of a plan means, field by field.

In: a `Day` and a change that the planner told. Out: the changed `Day`, valid. Whatever was allowed before still is: the plan that
the change was found in stays legal.
"""

import datetime as dt
from typing import Any

from dispatch.model.clock import to_clock, to_instant
from dispatch.model.day import Day, Driver, Request
from dispatch.model.plans import ChangeKind, SmallestChange

_CAPACITY = {
    ChangeKind.ONE_MORE_SEAT: "seats",
    ChangeKind.ONE_MORE_WHEELCHAIR_PLACE: "wheelchair_places",
    ChangeKind.ONE_MORE_BOOT_UNIT: "boot",
}


def apply_change(day: Day, change: SmallestChange) -> Day:
    """Make the change.

    Parameters
    ----------
    day : Day
    change : SmallestChange
        About a request, and a driver where it has one, of this day.

    Returns
    -------
    Day
    """
    (beneficiary,) = {request.beneficiary for request in day.requests if request.id == change.request}
    requests = tuple(
        Request(**dict(request) | _request_parts(day, request, change)) if request.id == change.request else request
        for request in day.requests
    )
    drivers = tuple(
        Driver(**dict(driver) | _driver_parts(day, driver, change, beneficiary)) if driver.id == change.driver else driver
        for driver in day.drivers
    )
    return Day(**dict(day) | {"requests": requests, "drivers": drivers})


def _request_parts(day: Day, request: Request, change: SmallestChange) -> dict[str, Any]:
    if change.kind in (ChangeKind.WINDOW_LATER, ChangeKind.WINDOW_EARLIER):
        return _window_parts(day, request, change)
    if change.kind == ChangeKind.ONE_WAY:
        return {"one_way_ok": True}
    if change.kind == ChangeKind.REFUSAL_LIFTED:
        required = request.requires_driver if request.requires_driver == change.driver else None
        return {"refuses": tuple(other for other in request.refuses if other != change.driver), "requires_driver": required}
    return {}


def _window_parts(day: Day, request: Request, change: SmallestChange) -> dict[str, Any]:
    """The window grows at one end. A window hangs on one clock, which moves only where that end is the clock's own."""
    later = change.kind == ChangeKind.WINDOW_LATER
    back = request.window_minutes if request.return_window_minutes is None else request.return_window_minutes
    if change.leg == "return":
        moved, parts = (None if later else "return_after"), {"return_window_minutes": back + change.amount}
    else:
        moved = ("arrive_by" if later else None) if request.arrive_by is not None else (None if later else "depart_after")
        parts = {"window_minutes": request.window_minutes + change.amount}
        parts |= {} if request.return_after is None else {"return_window_minutes": back}  # which is not asked to move
    if moved is None:
        return parts
    return parts | {moved: _shifted(day, getattr(request, moved), change.amount if later else -change.amount)}


def _driver_parts(day: Day, driver: Driver, change: SmallestChange, beneficiary: str) -> dict[str, Any]:
    if change.kind in _CAPACITY:
        name = _CAPACITY[change.kind]
        return {name: getattr(driver, name) + change.amount}
    if change.kind == ChangeKind.MORE_KM and driver.max_km is not None:
        return {"max_km": driver.max_km + change.amount}
    if change.kind == ChangeKind.REFUSAL_LIFTED:
        return {"refuses": tuple(other for other in driver.refuses if other != beneficiary)}
    if change.kind in (ChangeKind.SHIFT_FROM, ChangeKind.SHIFT_UNTIL):
        shifts = list(driver.shifts)
        begins, ends = shifts[change.shift or 0]
        longer = change.amount if change.kind == ChangeKind.SHIFT_UNTIL else -change.amount
        shifts[change.shift or 0] = (begins, _shifted(day, ends, longer)) if longer > 0 else (_shifted(day, begins, longer), ends)
        return {"shifts": tuple(shifts)}
    return {}


def _shifted(day: Day, clock: str, minutes: int) -> str:
    return to_clock(day.date, to_instant(day.date, clock, day.timezone) + dt.timedelta(minutes=minutes), day.timezone)
