"""A day after something has happened: what was told becomes promises, and the event is written into it.

In: the day, the plan people were told, one event. Out: the new `Day`, which any planner can take. Called by `react`.
What cannot be is refused with a sentence: BadInput.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from dispatch.errors import BadInput, Fault
from dispatch.model.clock import to_instant
from dispatch.model.day import Day, Direction, Driver, OverLeg, Promise, StartedRun
from dispatch.model.events import Cancelled, Event, NewRequest, NoShow, VolunteerGone, VolunteerLate
from dispatch.model.plans import Plan


def day_after(day: Day, plan: Plan, event: Event) -> Day:
    """Write promises and the event into the day. O(legs)."""
    told = with_promises(day, plan)
    parts = _WRITERS[type(event)](told, plan, event)
    try:
        return Day.model_validate({**{name: getattr(told, name) for name in Day.model_fields}, **parts})
    except ValidationError as error:
        raise BadInput.from_validation(error, "event") from None


def with_promises(day: Day, plan: Plan) -> Day:
    """The day with everything the plan told as promises; locks stay, and so does what is over."""
    locks = {(promise.request, promise.leg): promise.lock for promise in day.promises}
    gone = {(leg.request, leg.leg) for leg in day.over}
    promises = [
        Promise(
            request=leg.request,
            leg=leg.leg,
            driver=run.driver,
            pickup_at=leg.told_pickup.isoformat(),
            lock=locks.get((leg.request, leg.leg), "none"),
        )
        for run in plan.runs
        for leg in run.legs
        if (leg.request, leg.leg) not in gone
    ]
    return day.model_copy(update={"promises": tuple(promises)})


def _refuse(pointer: str, sentence: str) -> BadInput:
    return BadInput([Fault(pointer, "invalid", sentence)], "event")


def _new_request(day: Day, _plan: Plan, event: NewRequest) -> dict[str, Any]:
    return {"requests": (*day.requests, event.request)}


def _cancelled(day: Day, _plan: Plan, event: Cancelled) -> dict[str, Any]:
    ways: tuple[Direction, ...] = ("outbound", "return") if event.leg is None else (event.leg,)
    return _close(day, event.request, ways)


def _no_show(day: Day, _plan: Plan, event: NoShow) -> dict[str, Any]:
    return _close(day, event.request, ("outbound", "return") if event.leg == "outbound" else ("return",))


def _close(day: Day, request_id: str, ways: Iterable[Direction]) -> dict[str, Any]:
    """These ways are over; nobody who is in a car can be left in it."""
    request = next((request for request in day.requests if request.id == request_id), None)
    if request is None:
        raise _refuse("request", "is not the id of a request of this day")
    over = {(leg.request, leg.leg) for leg in day.over}
    closed = {(request_id, way) for way in ways if (way == "outbound" or request.return_after is not None)} - over
    if not closed:
        raise _refuse("leg", "this way is over already, or was never asked for")
    runs = []
    for run in day.started:
        if any((stop.request, stop.leg) in closed and stop.picked_up_at is not None for stop in run.committed):
            raise _refuse("leg", "this person is in the car now: tell the volunteer where to go, then enter it as driven")
        runs.append(run.model_copy(update={"committed": tuple(s for s in run.committed if (s.request, s.leg) not in closed)}))
    return {
        "over": (*day.over, *(OverLeg(request=name, leg=way) for name, way in sorted(closed))),
        "promises": tuple(p for p in day.promises if (p.request, p.leg) not in closed),
        "started": tuple(runs),
    }


def _late(day: Day, plan: Plan, event: VolunteerLate) -> dict[str, Any]:
    """Somebody who is out goes on later; otherwise the next run begins later."""
    driver = _driver(day, event.driver)
    delay = dt.timedelta(minutes=event.minutes)
    started = next((run for run in day.started if run.driver == event.driver), None)
    if started is not None:
        free = to_instant(day.date, started.free_at, day.timezone)
        here = free if day.now is None else max(free, to_instant(day.date, day.now, day.timezone))
        return {"started": _replaced(day.started, started, started.model_copy(update={"free_at": (here + delay).isoformat()}))}
    now = None if day.now is None else to_instant(day.date, day.now, day.timezone)
    runs = sorted((r for r in plan.runs if r.driver == event.driver and (now is None or r.back_home > now)), key=lambda r: r.leaves_home)
    if not runs:
        raise _refuse("driver", "this volunteer has no run that could be late")
    shifts = list(driver.shifts)
    end = to_instant(day.date, shifts[runs[0].shift][1], day.timezone)
    begins = max(runs[0].leaves_home, now or runs[0].leaves_home) + delay
    shifts[runs[0].shift] = (min(begins, end - dt.timedelta(minutes=1)).isoformat(), end.isoformat())
    return {"drivers": _replaced(day.drivers, driver, driver.model_copy(update={"shifts": tuple(shifts)}))}


def _gone(day: Day, _plan: Plan, event: VolunteerGone) -> dict[str, Any]:
    """Every shift shrinks to its last minute, so that numbers of shifts keep their meaning; locks on this volunteer are lifted."""
    driver = _driver(day, event.driver)
    started: list[StartedRun] = [run for run in day.started if run.driver == event.driver]
    if any(stop.picked_up_at is not None for run in started for stop in run.committed):
        raise _refuse(
            "driver", "somebody is in this car now: enter their way as over and the rest of it as a new request from where they are"
        )
    ends = [to_instant(day.date, end, day.timezone) for _, end in driver.shifts]
    shifts = tuple(((end - dt.timedelta(minutes=1)).isoformat(), end.isoformat()) for end in ends)
    without: Mapping[str, str] = {"driver": "none", "both": "time"}
    return {
        "drivers": _replaced(day.drivers, driver, driver.model_copy(update={"shifts": shifts})),
        "started": tuple(run for run in day.started if run.driver != event.driver),
        "locked_runs": tuple(run for run in day.locked_runs if run.driver != event.driver),
        "promises": tuple(
            p.model_copy(update={"lock": without.get(p.lock, p.lock)}) if p.driver == event.driver else p for p in day.promises
        ),
    }


def _driver(day: Day, driver_id: str) -> Driver:
    found = next((driver for driver in day.drivers if driver.id == driver_id), None)
    if found is None:
        raise _refuse("driver", "is not the id of a driver of this day")
    return found


def _replaced(items: Iterable[Any], old: Any, new: Any) -> tuple[Any, ...]:
    return tuple(new if item is old else item for item in items)


_WRITERS: Mapping[type, Callable[[Day, Plan, Any], dict[str, Any]]] = {
    NewRequest: _new_request,
    Cancelled: _cancelled,
    NoShow: _no_show,
    VolunteerLate: _late,
    VolunteerGone: _gone,
}
