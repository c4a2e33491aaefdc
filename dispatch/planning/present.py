"""What has happened by now, and what is locked as a whole, written into the arrays of a problem.

In: a `Day` with `now`, `started` runs and `locked_runs`, the arrays made of the rest of it. Out: the arrays, changed in place; which shifts
are under way and who is aboard. Called by `problem.build_problem`. docs/planning-problem.md, section 8.

A run under way begins where the volunteer is. Whoever is aboard becomes a leg whose pickup is there and then. Driving on as planned stays
legal whatever has gone wrong: windows, ride limits, the shift's end and the kilometres give way as far as that needs, and no farther.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.day import Day, StartedRun

if TYPE_CHECKING:
    from dispatch.planning.problem import Arrays, Leg

Seconds = Callable[[str], int]


def apply_present(
    day: Day,
    p: "Arrays",
    point: Mapping[tuple[float, float], int],
    legs: Mapping["Leg", int],
    shifts: Mapping[tuple[str, int], int],
    seconds: Seconds,
) -> tuple[frozenset[int], frozenset[int]]:
    """Change the arrays; returns (shifts under way, legs aboard). Shifts of volunteers whose home no road reaches are left aside."""
    earliest = -(2**40) if day.now is None else seconds(day.now)
    np.maximum(p.shift_from, earliest, out=p.shift_from)
    np.maximum(p.shift_to, p.shift_from, out=p.shift_to)  # a shift that is over has no time left
    for locked in day.locked_runs:
        if (locked.driver, locked.shift) in shifts:
            _lock_run(p, shifts[locked.driver, locked.shift], seconds(_begin_of(day, locked.driver, locked.shift)))
    started: set[int] = set()
    aboard: set[int] = set()
    for run in day.started:
        if (run.driver, run.shift) in shifts:
            shift = shifts[run.driver, run.shift]
            started.add(shift)
            aboard |= _start_run(p, run, shift, point[run.at], legs, seconds, earliest)
    return frozenset(started), frozenset(aboard)


def _begin_of(day: Day, driver: str, shift: int) -> str:
    return next(d.shifts[shift][0] for d in day.drivers if d.id == driver)


def _lock_run(p: "Arrays", shift: int, begins: int) -> None:
    """Nobody joins; those who were promised this volunteer in this shift stay in it, at their time."""
    driver = p.shift_driver[shift]
    p.closed[shift] = True
    theirs = (p.told_driver == driver) & (p.told_pickup >= begins) & (p.told_pickup <= p.shift_to[shift])
    p.run_of[theirs] = shift
    p.locked[theirs] = True
    p.allowed[theirs] &= np.arange(len(p.home)) == driver
    pickups = 2 * np.nonzero(theirs)[0]
    tolerance = int(p.rates[4])
    p.early[pickups] = np.maximum(p.early[pickups], p.told_pickup[theirs] - tolerance)
    p.late[pickups] = np.minimum(p.late[pickups], p.told_pickup[theirs] + tolerance + int(p.rates[3]))


def _start_run(p: "Arrays", run: StartedRun, shift: int, at: int, legs: Mapping["Leg", int], seconds: Seconds, earliest: int) -> set[int]:
    """Move the shift's beginning to here and now, and walk through the committed stops so that they stay legal. The legs aboard."""
    driver, now = int(p.shift_driver[shift]), max(seconds(run.free_at), earliest)
    p.begin[shift], p.shift_from[shift] = at, now
    p.shift_to[shift] = min(p.shift_to[shift], seconds(run.left_home_at) + p.max_duty[shift])  # the duty has begun
    stops = [(legs[stop.request, stop.leg], stop) for stop in run.committed]  # type: ignore[index] # a Leg is such a tuple
    aboard = {leg: seconds(stop.picked_up_at) for leg, stop in stops if stop.picked_up_at is not None}
    for leg, picked_up in aboard.items():
        p.place[2 * leg], p.service[2 * leg] = at, 0
        p.early[2 * leg] = p.late[2 * leg] = now
        p.ride_limit[leg] -= now - picked_up
        p.direct[leg] = p.times[at, p.place[2 * leg + 1]]
    taken = dict.fromkeys(aboard, now)  # when each ride (what is left of it) begins
    place, moment, metres = at, now, 0
    for k, (leg, stop) in enumerate(stops):
        p.locked[leg], p.run_of[leg] = True, shift
        p.allowed[leg] = np.arange(len(p.home)) == driver
        p.alone[leg] &= len(stops) < 3  # nobody can be put out of the car
        p.waits[leg] = False  # nor is what came before undone
        for way in (leg, int(p.partner[leg])):  # one way is a fact, whatever becomes of the other
            p.both_or_none[way] &= p.partner[leg] < 0
        node = 2 * leg + (stop.kind == "dropoff")
        moment = max(moment + int(p.times[place, p.place[node]]), int(p.early[node]))
        metres += int(p.metres[place, p.place[node]])
        place = int(p.place[node])
        p.late[node] = max(int(p.late[node]), moment)
        if k == 0 and place == at:  # the stop under way comes first
            p.early[node] = p.late[node] = moment
        if stop.kind == "dropoff":
            p.ride_limit[leg] = max(int(p.ride_limit[leg]), moment - taken[leg])
        moment += int(p.service[node])
        taken.setdefault(leg, moment)
    home = p.home[driver]
    p.shift_to[shift] = max(int(p.shift_to[shift]), moment + int(p.times[place, home]))
    p.max_duty[shift] = max(p.max_duty[shift], p.shift_to[shift] - now)
    p.max_metres[driver] = max(int(p.max_metres[driver]), metres + int(p.metres[place, home]))
    p.max_rides[driver] = max(int(p.max_rides[driver]), len({leg for leg, _ in stops}))
    return set(aboard)
