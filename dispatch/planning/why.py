"""Why this volunteer: what each served leg adds to the plan, and the two volunteers who would have been next.

In: a problem and the routes of the final plan. Out: one `Why` per served leg, in the terms of the objective. Called by
`dispatch.engine.plan_day`. The leg is taken out, put in the best place with each of the nearest other volunteers, and the days of both
volunteers are counted anew as a plan counts them: the differences are those of the levels of the plan with the leg moved, to the
last thousandth of a cent. Cost: `MOST_SHIFTS` insertions per leg.
"""

from collections.abc import Sequence

import numpy as np

from dispatch.model.plans import RunnerUp, Terms, Why
from dispatch.planning.insertion import NO_PLACE, NOWHERE, Routes, best_insertion, insert, keep, load_routes, make_routes, remove, undo
from dispatch.planning.kinship import near_shifts
from dispatch.planning.problem import PREFERRED_BONUS, SAME_DRIVER_BONUS, Arrays, IntArray, Problem
from dispatch.planning.schedule import CENT, inner, kernel, least_schedule, route_cost
from dispatch.planning.sentences import chosen_sentence, runner_up_sentence

#: Other volunteers are looked for in so many of the nearest shifts: a whole small day, and a bound for the large ones.
MOST_SHIFTS = 40
#: The columns of a row: the driver, then the terms in the order of the levels.
DRIVER, BROKEN, METRES, WAITING, RUNS, RIDING, LOAD, KNOWN, PREFERRED, BOTH_WAYS = range(10)
CHOSEN, SECOND, THIRD, TRIED = range(4)  # rows


def explain_served(problem: Problem, routes: Sequence[Sequence[int]]) -> dict[int, Why]:
    """Give every served leg its terms and its runners-up.

    Parameters
    ----------
    problem : Problem
    routes : sequence of routes
        Stops per shift of the final plan, legal.

    Returns
    -------
    dict
        By leg. Who belongs to a run under way or locked has none, nothing being chosen any more; nor has a leg without which its own
        route would be illegal (section 1: roads that break the triangle inequality).
    """
    p = problem.arrays
    r = make_routes(p)
    load_routes(p, r, routes)
    rows = np.zeros((4, 10), np.int64)
    found: dict[int, Why] = {}
    for leg in np.nonzero((r.shift_of >= 0) & (p.run_of < 0))[0].tolist():
        mate = int(p.partner[leg]) if p.same_driver[leg] and r.shift_of[p.partner[leg]] >= 0 else -1
        others = p.allowed[leg].copy()
        others[p.shift_driver[r.shift_of[leg]]] = False
        near = near_shifts(p, leg, others, MOST_SHIFTS)
        if weigh(p, r, leg, mate, near, rows):
            everybody = len(near) == 0 or (mate < 0 and len(near) < MOST_SHIFTS)
            found[leg] = _why(problem, rows, together=mate >= 0, everybody=everybody)
    return found


def _why(problem: Problem, rows: IntArray, *, together: bool, everybody: bool) -> Why:
    """`everybody`: nobody who could drive this leg was left out of the comparison."""
    runners_up = []
    for row in (rows[SECOND], rows[THIRD]):
        if row[DRIVER] >= 0:
            difference = _terms(problem.arrays, row - rows[CHOSEN])
            fr, en = runner_up_sentence(difference)
            runners_up.append(RunnerUp(driver=problem.drivers[row[DRIVER]], difference=difference, sentence=fr, sentence_en=en))
    terms = _terms(problem.arrays, rows[CHOSEN])
    fr, en = chosen_sentence(terms, together=together, alone=everybody and not runners_up)
    return Why(terms=terms, together=together, runners_up=tuple(runners_up), sentence=fr, sentence_en=en)


def _terms(p: Arrays, row: IntArray) -> Terms:
    _, broken, metres, waiting, runs, riding, *goodwill = row.tolist()
    load, known, preferred, both_ways = goodwill
    return Terms(
        broken_promises=broken,
        km=metres / 1000,
        wait_minutes=round(waiting / (CENT * rate), 2) if (rate := int(p.rates[1])) else 0.0,
        wait_cents=waiting / CENT,
        run_cents=runs * int(p.rates[5]),
        ride_minutes=round(riding / 60, 2),
        load=load,
        known=known,
        preferred=preferred,
        both_ways=both_ways,
    )


@kernel
def weigh(p: Arrays, r: Routes, leg: int, mate: int, shifts: IntArray, rows: IntArray) -> bool:
    """Fill the rows of the chosen driver and of the two best others in these shifts (driver -1 where there is none).

    With a `mate` (the other way, which must have the same driver) both ways are moved together. The routes are left as they were;
    False, when the chosen driver's day is not legal without the leg.
    """
    rows[:] = 0
    rows[:, DRIVER] = NOWHERE
    home_shift = r.shift_of[leg]
    driver = p.shift_driver[home_shift]
    keep(r)
    legal = add_day(p, r, home_shift, 1, rows[CHOSEN])
    remove(p, r, leg)
    if mate >= 0:
        remove(p, r, mate)
    legal = add_day(p, r, home_shift, -1, rows[CHOSEN]) and legal
    if legal:
        rows[CHOSEN, DRIVER] = driver
        add_goodwill(p, r, leg, mate, driver, rows[CHOSEN])
        for shift in shifts:
            if move(p, r, leg, mate, shift, rows[TRIED]):
                rank(p, rows)
    undo(p, r)
    return legal


@inner
def move(p: Arrays, r: Routes, leg: int, mate: int, shift: int, row: IntArray) -> bool:
    """Fill the row of having the leg in this shift, and its mate in any shift of the same driver; False where there is no place."""
    price, i, j = best_insertion(p, r, leg, shift)
    if price == NO_PLACE:
        return False
    driver = p.shift_driver[shift]
    row[:] = 0
    row[DRIVER] = driver
    legal = add_day(p, r, shift, -1, row)
    add_goodwill(p, r, leg, mate, driver, row)
    insert(p, r, leg, shift, i, j)
    if mate >= 0:
        best, best_shift, best_i, best_j = NO_PLACE, NOWHERE, NOWHERE, NOWHERE
        for s in range(len(p.shift_driver)):
            if p.shift_driver[s] == driver:
                price, i, j = best_insertion(p, r, mate, s)
                if price < best:
                    best, best_shift, best_i, best_j = price, s, i, j
        if best_shift >= 0:
            insert(p, r, mate, best_shift, best_i, best_j)
        else:
            legal = False
    legal = legal and add_day(p, r, shift, 1, row)
    if mate >= 0 and r.shift_of[mate] >= 0:
        remove(p, r, mate)
    remove(p, r, leg)
    return legal


@inner
def add_day(p: Arrays, r: Routes, shift: int, sign: int, row: IntArray) -> bool:
    """Add to a row (sign 1), or take from it (-1), the figures of all shifts of a shift's driver, as a plan counts them.

    That is: the cheaper of waiting and going home in every gap, or the shorter one in all of them when the day is too long otherwise
    (`timetable`). False, with nothing changed, when the day is not legal. O(stops of the driver).
    """
    driver = p.shift_driver[shift]
    first = shift
    while first > 0 and p.shift_driver[first - 1] == driver:
        first -= 1
    for attempt in range(2):
        metres = cost = comfort = broken = runs = 0
        s = first
        while s < len(p.shift_driver) and p.shift_driver[s] == driver:
            m = r.length[s]
            if not least_schedule(p, s, r.stops[s], m, r.moments, r.picked):
                return False
            more, dearer, longer, worse = route_cost(p, s, r.stops[s], m, r.moments, r.picked, attempt == 1)
            metres, cost, comfort, broken = metres + more, cost + dearer, comfort + longer, broken + worse
            runs += int(m > 0)
            s += 1
        if metres <= p.max_metres[driver]:
            row[BROKEN] += sign * broken
            row[METRES] += sign * metres
            row[WAITING] += sign * (cost - metres * p.rates[0] - runs * p.rates[5] * CENT)
            row[RUNS] += sign * runs
            row[RIDING] += sign * comfort
            return True
    return False


@inner
def add_goodwill(p: Arrays, r: Routes, leg: int, mate: int, driver: int, row: IntArray) -> None:
    """Level 5 of giving a driver one more leg, or two, while neither is in a route."""
    legs = 1 if mate < 0 else 2
    row[LOAD] += legs * (2 * (p.recent_rides[driver] + r.rides[driver]) + legs)
    bond = p.bond[leg, driver]
    row[KNOWN] -= legs * (bond % PREFERRED_BONUS)
    row[PREFERRED] -= legs * (bond - bond % PREFERRED_BONUS)
    partner = p.partner[leg]
    if mate >= 0 or (partner >= 0 and r.shift_of[partner] >= 0 and p.shift_driver[r.shift_of[partner]] == driver):
        row[BOTH_WAYS] -= SAME_DRIVER_BONUS


@inner
def rank(p: Arrays, rows: IntArray) -> None:
    """Take the tried row in among the two best, once per driver."""
    if rows[TRIED, DRIVER] != rows[SECOND, DRIVER]:
        if rows[THIRD, DRIVER] < 0 or before(p, rows[TRIED], rows[THIRD]):
            swap(rows, TRIED, THIRD)
    elif before(p, rows[TRIED], rows[SECOND]):
        swap(rows, TRIED, SECOND)
    if rows[THIRD, DRIVER] >= 0 and (rows[SECOND, DRIVER] < 0 or before(p, rows[THIRD], rows[SECOND])):
        swap(rows, SECOND, THIRD)


@inner
def swap(rows: IntArray, a: int, b: int) -> None:
    """Exchange two rows."""
    for k in range(rows.shape[1]):
        rows[a, k], rows[b, k] = rows[b, k], rows[a, k]


@inner
def before(p: Arrays, a: IntArray, b: IntArray) -> bool:
    """Lexicographic over levels 2 to 5."""
    for k in range(4):
        x, y = level(p, a, k), level(p, b, k)
        if x != y:
            return bool(x < y)
    return False


@inner
def level(p: Arrays, row: IntArray, k: int) -> int:
    """Broken promises, cost, comfort, goodwill."""
    if k == 0:
        return int(row[BROKEN])
    if k == 1:
        return int(row[METRES] * p.rates[0] + row[WAITING] + row[RUNS] * p.rates[5] * CENT)
    if k == 2:
        return int(row[RIDING])
    return int(row[LOAD] + row[KNOWN] + row[PREFERRED] + row[BOTH_WAYS])
