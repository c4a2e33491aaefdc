"""The working state of the search: routes, cached insertions, the best plan so far, its own random generator.

In: the arrays of a problem and a seed. Out: a `Search`, which `recreate` and `search` change. The random generator is our own (xorshift64*,
Vigna 2016, doi:10.1145/2845077) and lives in the state: same seed, same plan.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.insertion import BROKEN_PRICE, COST_PRICE, NO_PLACE, OVERRUN, Routes, best_insertion, make_routes, refresh
from dispatch.planning.kinship import related_legs, twins
from dispatch.planning.problem import SAME_DRIVER_BONUS, Arrays, IntArray, drivable
from dispatch.planning.route_pool import Pool, make_pool
from dispatch.planning.schedule import CENT, kernel

LOCKED_WEIGHT = 1000  # a locked leg is put back before anybody else
ILLEGAL_WEIGHT = 10**12  # of a route that breaks a rule: no plan with one is ever the best, whoever it serves
FEW_LEGS = 20  # whose prices stand for all in a short repair
LONGEST_STRING = 10  # legs taken out of one route at once: the value of the paper that `search` follows


class Search(NamedTuple):
    """Everything a call of `improve` reads and changes."""

    routes: Routes
    candidates: IntArray  # [L, C] shifts that could serve the leg on an empty day, cheapest first, -1 after the last
    choices: IntArray  # [L] their number
    near: IntArray  # [L, A] other legs, the most related first
    price: IntArray  # [L, S, 2] cached insertions: of the state to return to, and of the one that is tried ...
    place: IntArray  # [L, S, 2, 2]
    seen: IntArray  # [L, S, 2] ... and the versions of the shift they belong to
    levels: IntArray  # [5] of the current routes
    best_levels: IntArray  # [5]
    best_stops: IntArray  # [S, K]
    best_length: IntArray  # [S]
    twin: IntArray  # [S] shifts with the same number are exchangeable: of the empty ones only the first is tried
    scale: npt.NDArray[np.float64]  # [2] mean price of serving one leg, for weights; without that of a run, for temperatures
    random: npt.NDArray[np.uint64]  # [1]
    pool: Pool
    absent: IntArray  # [L] scratch: unserved legs, in the order they are put back
    key: npt.NDArray[np.float64]  # [L] scratch
    ranked: IntArray  # [L, 4] scratch: the two best places of an unserved leg, see `recreate.regret`
    string: IntArray  # [LONGEST_STRING] scratch
    pickups: IntArray  # [K] scratch
    stamp: IntArray  # [S + T + 1] scratch: marks of this round, the round in the last place
    new: IntArray  # [5] scratch


@kernel
def measure(p: Arrays, r: Routes, levels: IntArray) -> None:
    """Fill the five levels of the current routes. O(L + S + D)."""
    levels[:] = 0
    for leg in range(len(r.shift_of)):
        shift = r.shift_of[leg]
        if shift < 0:
            levels[0] += p.priority[leg] * (LOCKED_WEIGHT if p.locked[leg] else 1)
            levels[1] += int(p.told_driver[leg] >= 0)
            continue
        driver = p.shift_driver[shift]
        levels[4] -= p.bond[leg, driver]
        partner = p.partner[leg]
        if partner > leg and r.shift_of[partner] >= 0 and p.shift_driver[r.shift_of[partner]] == driver:
            levels[4] -= SAME_DRIVER_BONUS
    for shift in range(len(r.length)):
        levels[1] += r.figures[shift, 3]
        levels[0] += ILLEGAL_WEIGHT * int(r.figures[shift, 3] >= OVERRUN)
        levels[2] += r.figures[shift, 1]
        levels[3] += r.figures[shift, 2]
    for driver in range(len(r.rides)):
        levels[4] += r.rides[driver] * (2 * p.recent_rides[driver] + r.rides[driver])


@kernel
def is_better(a: IntArray, b: IntArray) -> bool:
    """Lexicographic: a before b."""
    for k in range(5):
        if a[k] != b[k]:
            return bool(a[k] < b[k])
    return False


@kernel
def remember_best(s: Search) -> None:
    """Copy the current routes and levels to the best."""
    for k in range(5):
        s.best_levels[k] = s.levels[k]
    for shift in range(len(s.best_length)):
        s.best_length[shift] = s.routes.length[shift]
        for k in range(s.best_length[shift]):
            s.best_stops[shift, k] = s.routes.stops[shift, k]


@kernel
def fill_solo(p: Arrays, s: Search, solo: IntArray, step: int) -> None:
    """Price of every leg, or each so many-th, alone in every empty shift."""
    for leg in range(0, solo.shape[0], max(1, step)):
        for shift in range(solo.shape[1]):
            solo[leg, shift] = best_insertion(p, s.routes, leg, shift)[0]


def make_search(p: Arrays, seed: int, neighbours: int = 100, *, by_price: bool = True) -> Search:
    """Empty routes, candidate shifts and related legs. O(L S + L^2 log L).

    Not `by_price`: every shift that may drive a leg is a candidate, as it comes, and temperatures rest on a few legs; for short repairs.
    """
    routes = make_routes(p)
    legs, shifts = len(p.priority), len(p.shift_driver)
    empty = Search(
        routes=routes,
        candidates=np.full((legs, max(1, shifts)), -1, np.int64),
        choices=np.zeros(legs, np.int64),
        near=np.zeros((legs, 0), np.int64),
        price=np.zeros((legs, shifts, 2), np.int64),
        place=np.zeros((legs, shifts, 2, 2), np.int64),
        seen=np.full((legs, shifts, 2), -1, np.int64),
        levels=np.zeros(5, np.int64),
        best_levels=np.zeros(5, np.int64),
        best_stops=np.zeros_like(routes.stops),
        best_length=np.zeros_like(routes.length),
        twin=twins(p),
        scale=np.ones(2),
        pool=make_pool(legs, routes.stops.shape[1]),
        absent=np.zeros(legs + 1, np.int64),
        key=np.zeros(legs + 1),
        ranked=np.zeros((legs + 1, 4), np.int64),
        string=np.zeros(LONGEST_STRING, np.int64),
        pickups=np.zeros(routes.stops.shape[1], np.int64),
        stamp=np.zeros(2 * shifts + 1, np.int64),
        new=np.zeros(5, np.int64),
        random=np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 or 1], np.uint64),
    )
    for shift in np.nonzero(p.begin != p.home[p.shift_driver])[0]:  # who is out already has a way home
        refresh(p, routes, shift)
    solo = np.full((legs, shifts), NO_PLACE, np.int64)
    if by_price:
        fill_solo(p, empty, solo, 0)
    else:
        fill_solo(p, empty, solo, max(1, legs // FEW_LEGS))
        rough = int(np.median(solo[solo < NO_PLACE])) if (solo < NO_PLACE).any() else NO_PLACE
        in_time = (p.early[1::2, None] < p.shift_to[None, :]) & (p.late[0::2, None] > p.shift_from[None, :])
        may = drivable(p, np.arange(legs)[:, None], np.arange(shifts)[None, :]) & in_time
        solo = np.where(may, rough, NO_PLACE)
    order = np.argsort(solo if by_price else solo == NO_PLACE, axis=1, kind="stable")
    sorted_solo = np.take_along_axis(solo, order, axis=1)
    candidates = np.where(sorted_solo < NO_PLACE, order, -1)
    width = max(1, int((candidates >= 0).sum(axis=1).max(initial=1)))
    feasible = sorted_solo[:, 0][sorted_solo[:, 0] < NO_PLACE] if shifts else np.zeros(0)
    price = max(1.0, float((feasible % BROKEN_PRICE).mean())) if len(feasible) else 1.0
    search = empty._replace(
        candidates=np.ascontiguousarray(candidates[:, :width]) if shifts else empty.candidates,
        choices=(candidates >= 0).sum(axis=1),
        near=related_legs(p, min(neighbours, max(0, legs - 1))),
        scale=np.array([price, max(1.0, price - COST_PRICE * CENT * float(p.rates[5]))]),
    )
    measure(p, routes, search.levels)
    remember_best(search)
    return search


def best_routes(search: Search) -> list[list[int]]:
    """The best routes as lists of stops, one per shift."""
    return [search.best_stops[s, : search.best_length[s]].tolist() for s in range(len(search.best_length))]
