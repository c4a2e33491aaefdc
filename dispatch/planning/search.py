"""Ruin and recreate: take some neighbouring people out of the plan, put them back better, keep what is worth keeping.

In: a problem's arrays, a `Search`, a number of iterations per call. Out: the best routes so far and their five levels, in the `Search`.
Called by `solve`. After Christiaens and Vanden Berghe, Slack Induction by String Removals (2020, doi:10.1287/trsc.2019.0914),
with the two ways of a request taken out and put back together, and simulated annealing on a price whose weight for unserved
people grows with time; the best plan is chosen level by level (docs/planning-problem.md, section 4), never by the price.
"""

import numpy as np

from dispatch.planning.insertion import COMFORT_PRICE, COST_PRICE, GOODWILL_PRICE, NOWHERE, keep, refresh, remove, strip, undo
from dispatch.planning.problem import Arrays, IntArray
from dispatch.planning.recreate import BLINK, cheapest_shift, put, recreate
from dispatch.planning.route_pool import remember_routes
from dispatch.planning.schedule import draw, inner, kernel
from dispatch.planning.state import LONGEST_STRING, Search, is_better, measure, remember_best

MEAN_REMOVED = 10.0  # legs taken out per iteration: the value of the paper
#: Temperatures at the beginning and the end, as shares of what serving one leg costs. Colder ones freeze the routes before they are good:
#: from 0.1 to 0.0003, ten times the iterations gained 1 %, and plans stayed 4 % longer.
HOT, COLD = 1.0, 0.01
SETTLED = 0.6  # progress from which on nobody is given up, and no promise, for kilometres
BLINKS = 1.0  # legs for which all places would be overlooked: on a small day nearly every round would end alike without that


@inner
def take_out(p: Arrays, s: Search, leg: int) -> int:
    """Strip a leg and its other way of their routes. Returns how many were taken."""
    n = 0
    partner = p.partner[leg]
    if s.routes.shift_of[leg] >= 0:
        strip(p, s.routes, leg)
        n += 1
    if partner >= 0 and s.routes.shift_of[partner] >= 0:
        strip(p, s.routes, partner)
        n += 1
    return n


@inner
def ruin(p: Arrays, s: Search) -> None:
    """Take strings of legs out of a few routes around one leg chosen at random, more often around somebody unserved."""
    r = s.routes
    legs = len(r.shift_of)
    seed = int(draw(s.random) * legs)
    if draw(s.random) < 0.3:  # look for an unserved leg from there on
        for k in range(legs):
            if r.shift_of[(seed + k) % legs] < 0:
                seed = (seed + k) % legs
                break
    target = 1 + int(draw(s.random) * 2 * MEAN_REMOVED)
    removed = take_out(p, s, seed)
    s.stamp[-1] += 1
    for k in range(s.near.shape[1]):
        if removed >= target:
            break
        leg = s.near[seed, k]
        shift = r.shift_of[leg]
        if shift < 0 or s.stamp[shift] == s.stamp[-1]:
            continue
        s.stamp[shift] = s.stamp[-1]
        size = choose_string(s, leg, shift)
        for q in range(size):
            removed += take_out(p, s, s.string[q])
    for shift in range(len(r.touched)):
        if r.touched[shift]:
            refresh(p, r, shift)


@inner
def choose_string(s: Search, leg: int, shift: int) -> int:
    """Neighbouring pickups of a route, the given leg among them; fills `string`, returns its length."""
    r, order = s.routes, s.pickups
    n = at = 0
    for k in range(r.length[shift]):
        stop = r.stops[shift, k]
        if stop & 1 == 0:
            if stop >> 1 == leg:
                at = n
            order[n] = stop >> 1
            n += 1
    size = 1 + int(draw(s.random) * min(n, LONGEST_STRING))
    first = max(0, at - int(draw(s.random) * size))
    first = min(first, n - size)
    for k in range(size):
        s.string[k] = order[first + k]
    return size


@kernel
def improve(p: Arrays, s: Search, iterations: int, progress_from: float, progress_to: float) -> None:
    """Run so many iterations of ruin and recreate; progress (0 to 1 over the whole search) sets temperature and weights."""
    new, scale = s.new, s.scale[0]
    blink = max(BLINK, BLINKS / len(p.priority))
    for k in range(iterations):
        progress = progress_from + (progress_to - progress_from) * k / iterations
        temperature = s.scale[1] * HOT * (COLD / HOT) ** progress
        weight = min(1.0, progress / SETTLED)
        unserved_price, broken_price = 3.0 * scale * 10.0 ** (4.0 * weight), 0.01 * scale * 10.0 ** (3.0 * weight)
        keep(s.routes)
        ruin(p, s)
        recreate(p, s, blink)
        measure(p, s.routes, new)
        step = unserved_price * (new[0] - s.levels[0]) + broken_price * (new[1] - s.levels[1]) + float(COST_PRICE * (new[2] - s.levels[2]))
        step += COMFORT_PRICE * (new[3] - s.levels[3]) + GOODWILL_PRICE * (new[4] - s.levels[4])
        if step < -temperature * np.log(max(1e-12, draw(s.random))):
            for q in range(5):
                s.levels[q] = new[q]
            remember_routes(s.routes, s.twin, s.pool)
            if is_better(s.levels, s.best_levels):
                remember_best(s)
        else:
            undo(p, s.routes)


def construct(p: Arrays, search: Search) -> None:
    """First plan: cheapest insertion, the hardest people first; where there are promises, also with those first. The better one stays."""
    orders = [np.zeros(0, np.int64)]
    promised = np.nonzero(p.told_driver >= 0)[0]
    if len(promised):
        orders.append(promised[np.lexsort((p.told_pickup[promised], ~p.locked[promised]))])
    for order in orders:
        for leg in np.nonzero(search.routes.shift_of >= 0)[0]:
            if search.routes.shift_of[leg] >= 0:
                remove(p, search.routes, leg)
        keep_promises(p, search, order)
        recreate(p, search, 0.0)
        measure(p, search.routes, search.levels)
        if is_better(search.levels, search.best_levels):
            remember_best(search)


@kernel
def keep_promises(p: Arrays, s: Search, order: IntArray) -> None:
    """Put legs with the volunteers they were told, in this order, where there is a place; then their other ways, both or none."""
    for leg in order:
        other = s.routes.shift_of[p.partner[leg]] if p.same_driver[leg] else NOWHERE
        if other >= 0 and p.shift_driver[other] != p.told_driver[leg]:
            continue
        _, shift = cheapest_shift(p, s, leg, p.told_driver[leg], 0.0)
        if shift >= 0:
            put(p, s, leg, shift)
    for leg in order:
        partner, shift = p.partner[leg], s.routes.shift_of[leg]
        if shift < 0 or partner < 0 or s.routes.shift_of[partner] >= 0:
            continue
        _, back = cheapest_shift(p, s, partner, p.shift_driver[shift] if p.same_driver[leg] else NOWHERE, 0.0)
        if back >= 0:
            put(p, s, partner, back)
        elif p.both_or_none[leg]:
            remove(p, s.routes, leg)
