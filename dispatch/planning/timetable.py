"""Routes become a plan that people can read: indices back to ids, seconds back to local date-times.

In: a problem, a solution, the unserved legs with their reasons, notes, and why who drives whom. Out: a `Plan`.
Called by `dispatch.engine.plan_day`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np

from dispatch.model.plans import Levels, Note, Plan, Run, ServedLeg, Stop, Summary, Unserved, Why
from dispatch.planning.certificate import certify
from dispatch.planning.changes import list_touched
from dispatch.planning.problem import SAME_DRIVER_BONUS, Problem
from dispatch.planning.schedule import figures, gap, promise_broken, schedule
from dispatch.planning.solve import Bound


def make_plan(
    problem: Problem,
    routes: Sequence[Sequence[int]],
    unserved: Sequence[Unserved],
    notes: Sequence[Note],
    seconds: float | None,
    bound: Bound | None = None,
    why: Mapping[int, Why] = MappingProxyType({}),
) -> Plan:
    """Write the plan down.

    Parameters
    ----------
    problem : Problem
    routes : sequence of routes
        Stops per shift, legal.
    unserved, notes : sequences
    seconds : float or None
        Spent searching; None under an iteration budget.
    bound : Bound or None
        What the master has proved.
    why : mapping
        By leg, for those served.

    Returns
    -------
    Plan
        With `summary.violations` still 0: the checker fills it.
    """
    frugal = _frugal_drivers(problem, routes)
    runs = [_make_run(problem, s, list(route), frugal, why) for s, route in enumerate(routes) if route or s in problem.started]
    served = sum(len(run.legs) for run in runs)
    levels = _levels(problem, routes, frugal)
    return Plan(
        date=problem.date,
        timezone=problem.timezone,
        summary=Summary(
            legs=len(problem.legs),
            served=served,
            unserved=len(problem.legs) - served,
            km_total=round(sum(run.km for run in runs), 3),
            km_empty=round(sum(run.km_empty for run in runs), 3),
            wait_minutes=round(sum(round(60 * run.wait_minutes) for run in runs) / 60, 2),  # whole seconds: hundredths would add up
            seconds=seconds,
            certificate=certify(routes, levels.as_tuple(), bound),
            violations=0,
            levels=levels,
        ),
        runs=tuple(runs),
        unserved=tuple(unserved),
        touched=list_touched(problem, runs),
        notes=tuple(notes),
    )


def _frugal_drivers(problem: Problem, routes: Sequence[Sequence[int]]) -> set[int]:
    """Volunteers who keep within their kilometres only with the shorter way in every gap."""
    p = problem.arrays
    total = np.zeros(len(p.home), np.int64)
    for s, route in enumerate(routes):
        total[p.shift_driver[s]] += _figures(problem, s, route, frugal=False)[0]
    return {int(d) for d in np.nonzero(total > p.max_metres)[0]}


def _figures(problem: Problem, shift: int, route: Sequence[int], *, frugal: bool) -> tuple[int, int, int, int]:
    return figures(problem.arrays, shift, list(route), frugal=frugal)


def _starts(problem: Problem, shift: int, route: Sequence[int]) -> np.ndarray:
    start = schedule(problem.arrays, shift, list(route))
    if start is None:
        raise ValueError(f"the route of shift {shift} has no legal schedule")
    return start


def _levels(problem: Problem, routes: Sequence[Sequence[int]], frugal: set[int]) -> Levels:
    p = problem.arrays
    driver_of = {stop // 2: int(p.shift_driver[s]) for s, route in enumerate(routes) for stop in route}
    cost = comfort = broken = goodwill = 0
    for s, route in enumerate(routes):
        figures = _figures(problem, s, route, frugal=int(p.shift_driver[s]) in frugal)
        cost, comfort, broken = cost + int(figures[1]), comfort + int(figures[2]), broken + int(figures[3])
    absent = [leg for leg in range(len(problem.legs)) if leg not in driver_of]
    for leg, driver in driver_of.items():
        goodwill -= int(p.bond[leg, driver])
        goodwill -= SAME_DRIVER_BONUS if p.partner[leg] > leg and driver_of.get(int(p.partner[leg])) == driver else 0
    rides = np.bincount(np.array(list(driver_of.values()), np.int64), minlength=len(p.home))
    goodwill += int((rides * (2 * p.recent_rides + rides)).sum())
    return Levels(
        unserved_priority=int(sum(p.priority[leg] for leg in absent)),
        broken_promises=broken + sum(1 for leg in absent if p.told_driver[leg] >= 0),
        cost=cost,
        comfort=comfort,
        goodwill=goodwill,
    )


class _Trace:
    """The stops of one run, written in order."""

    def __init__(self, problem: Problem, shift: int) -> None:
        self.problem, self.p = problem, problem.arrays
        self.home = int(self.p.home[self.p.shift_driver[shift]])
        self.zone = ZoneInfo(problem.timezone)
        self.load = np.zeros(3, np.int64)
        self.stops: list[Stop] = []
        self.begin, self.out = int(self.p.begin[shift]), shift in problem.started
        self.at = self.begin

    def moment(self, second: int) -> dt.datetime:
        return (self.problem.start + dt.timedelta(seconds=int(second))).astimezone(self.zone)

    def add(self, stop: int | None, arrive: int, start: int, depart: int) -> None:
        """Append a stop (None: home, or where the volunteer is) reached from the last one."""
        first = not self.stops
        place = int(self.p.place[stop]) if stop is not None else self.begin if first else self.home
        aboard = stop is not None and stop % 2 == 0 and stop // 2 in self.problem.aboard
        kind = (
            ("position" if first and self.out else "home") if stop is None else "dropoff" if stop % 2 else "aboard" if aboard else "pickup"
        )
        leg = None if stop is None else self.problem.legs[stop // 2]
        if stop is not None:
            self.load += self.p.demand[stop // 2] * (-1 if stop % 2 else 1)
        self.stops.append(
            Stop(
                kind=kind,
                request=leg and leg.request,
                leg=leg and leg.direction,
                place=self.problem.points[place],
                arrive=self.moment(arrive),
                start=self.moment(start),
                depart=self.moment(depart),
                metres=0 if first else int(self.p.metres[self.at, place]),
                seats=int(self.load[0]),
                wheelchairs=int(self.load[1]),
                boot=int(self.load[2]),
            )
        )
        self.at = place


def _make_run(problem: Problem, shift: int, route: list[int], frugal: set[int], why: Mapping[int, Why]) -> Run:
    p = problem.arrays
    driver = int(p.shift_driver[shift])
    start = _starts(problem, shift, route)
    trace = _Trace(problem, shift)
    leave = int(start[0]) - int(p.times[trace.begin, p.place[route[0]]]) if route else int(p.shift_from[shift])
    trace.add(None, leave, leave, leave)
    aboard = empty = waited = 0
    for k, stop in enumerate(route):
        done = int(start[k] + p.service[stop])
        trace.add(stop, leave + int(p.times[trace.at, p.place[stop]]), int(start[k]), done)
        empty += trace.stops[-1].metres if aboard == 0 else 0
        aboard += -1 if stop % 2 else 1
        leave = done
        if aboard == 0 and k + 1 < len(route):
            _, wait, _, goes_home = gap(p, driver, done, stop, route[k + 1], int(start[k + 1]), driver in frugal)
            if goes_home:
                arrive = done + int(p.times[trace.at, trace.home])
                leave = int(start[k + 1] - p.times[trace.home, p.place[route[k + 1]]])
                trace.add(None, arrive, arrive, leave)
                empty += trace.stops[-1].metres
            waited += int(wait)
    arrive = leave + int(p.times[trace.at, trace.home])
    trace.add(None, arrive, arrive, arrive)
    empty += trace.stops[-1].metres
    metres = sum(stop.metres for stop in trace.stops)
    return Run(
        driver=problem.drivers[driver],
        shift=problem.shift_numbers[shift],
        leaves_home=trace.stops[0].depart,
        back_home=trace.stops[-1].arrive,
        km=metres / 1000,
        km_empty=empty / 1000,
        wait_minutes=round(waited / 60, 2),
        legs=tuple(_served_leg(problem, trace, route, start, stop // 2, why.get(stop // 2)) for stop in route if stop % 2 == 0),
        stops=tuple(trace.stops),
    )


def _served_leg(problem: Problem, trace: _Trace, route: list[int], start: np.ndarray, leg: int, why: Why | None) -> ServedLeg:
    p = problem.arrays
    pickup, dropoff = int(start[route.index(2 * leg)]), int(start[route.index(2 * leg + 1)])
    told = pickup - pickup % int(p.rates[3])
    if p.told_driver[leg] >= 0 and promise_broken(p, leg, int(p.told_driver[leg]), pickup) == 0:
        told = int(p.told_pickup[leg])  # a kept promise is told as it was
    name = problem.legs[leg]
    return ServedLeg(
        request=name.request,
        leg=name.direction,
        told_pickup=trace.moment(told),
        pickup=trace.moment(pickup),
        dropoff=trace.moment(dropoff),
        ride_minutes=round((dropoff - pickup - int(p.service[2 * leg])) / 60, 2),
        direct_minutes=round(int(p.direct[leg]) / 60, 2),
        why=why,
    )
