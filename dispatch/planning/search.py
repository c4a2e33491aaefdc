"""Ruin and recreate: take some neighbouring people out of the plan, put them back better, keep what is worth keeping.

In: a problem's arrays, a seed, a number of iterations per call. Out: the best routes so far and their five levels.
Called by `solve`. After Christiaens and Vanden Berghe, Slack Induction by String Removals (2020, doi:10.1287/trsc.2019.0914),
with the two ways of a request taken out and put back together, and simulated annealing on a price whose weight for unserved
people grows with time; the best plan is chosen level by level (docs/planning-problem.md, section 4), never by the price.
The random generator is our own (xorshift64*, Vigna 2016, doi:10.1145/2845077) and lives in the state: same seed, same plan.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.insertion import (
    BROKEN_PRICE,
    COMFORT_PRICE,
    GOODWILL_PRICE,
    NO_PLACE,
    NOWHERE,
    OVERRUN,
    Routes,
    best_insertion,
    goodwill_added,
    insert,
    keep,
    make_routes,
    remove,
    undo,
)
from dispatch.planning.problem import SAME_DRIVER_BONUS, Arrays, IntArray
from dispatch.planning.schedule import inner, kernel

LOCKED_WEIGHT = 1000  # a locked leg is put back before anybody else
MEAN_REMOVED = 10.0  # legs taken out per iteration, and longest string: the values of the paper
LONGEST_STRING = 10
BLINK = 0.01  # share of places overlooked on purpose
REGRET_SHARE, MOST_REGRETTED = 0.3, 40  # of the rounds in which few legs are out
POOL_ROUTES, POOL_STOPS = 2**14, 48


class Search(NamedTuple):
    """Everything a call of `improve` reads and changes."""

    routes: Routes
    candidates: IntArray  # [L, C] shifts that could serve the leg on an empty day, cheapest first, -1 after the last
    choices: IntArray  # [L] their number
    near: IntArray  # [L, A] other legs, the most related first
    price: IntArray  # [L, S] cached insertions ...
    place: IntArray  # [L, S, 2]
    seen: IntArray  # [L, S] ... and the version of the shift they belong to
    levels: IntArray  # [5] of the current routes
    best_levels: IntArray  # [5]
    best_stops: IntArray  # [S, K]
    best_length: IntArray  # [S]
    twin: IntArray  # [S] shifts with the same number are exchangeable: of the empty ones only the first is tried
    scale: npt.NDArray[np.float64]  # [1] mean price of serving one leg, for temperatures
    random: npt.NDArray[np.uint64]  # [1]
    pool: "Pool"
    absent: IntArray  # [L] scratch: unserved legs, in the order they are put back
    key: npt.NDArray[np.float64]  # [L] scratch
    string: IntArray  # [LONGEST_STRING] scratch
    pickups: IntArray  # [K] scratch
    stamp: IntArray  # [S + T + 1] scratch: marks of this round, the round in the last place
    new: IntArray  # [5] scratch


class Pool(NamedTuple):
    """Routes that were part of an accepted plan, each set of legs and kind of shift once, at its cheapest. Shapes: P routes."""

    stops: npt.NDArray[np.int32]  # [P, K]
    length: IntArray  # [P] 0 at the first free place
    shift: IntArray  # [P]
    price: IntArray  # [P]
    hash: npt.NDArray[np.uint64]  # [P]
    table: IntArray  # [2^k] position in the pool by hash, or -1
    salt: npt.NDArray[np.uint64]  # [L]
    size: IntArray  # [1]


@inner
def draw(random: npt.NDArray[np.uint64]) -> float:
    """Uniform in [0, 1)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@inner
def cached_insertion(p: Arrays, s: Search, leg: int, shift: int) -> int:
    """Price of the best place of a leg in a shift; computed only when the shift has changed since."""
    if s.seen[leg, shift] != s.routes.version[shift]:
        price, i, j = best_insertion(p, s.routes, leg, shift)
        s.price[leg, shift] = price
        s.place[leg, shift, 0], s.place[leg, shift, 1] = i, j
        s.seen[leg, shift] = s.routes.version[shift]
    return s.price[leg, shift]


@inner
def cheapest_shift(p: Arrays, s: Search, leg: int, only_driver: int, blink: float) -> tuple[int, int]:
    """(price with goodwill, shift) of the best place over all candidate shifts, or (NO_PLACE, -1)."""
    best, best_shift = NO_PLACE, NOWHERE
    s.stamp[-1] += 1
    for c in range(s.candidates.shape[1]):
        shift = s.candidates[leg, c]
        if shift < 0:
            break
        driver = p.shift_driver[shift]
        if is_spare(s, shift):
            continue
        if (only_driver >= 0 and driver != only_driver) or (blink > 0.0 and draw(s.random) < blink):
            continue
        price = cached_insertion(p, s, leg, shift)
        if price < NO_PLACE:
            price += GOODWILL_PRICE * goodwill_added(p, s.routes, leg, driver, SAME_DRIVER_BONUS)
            if price < best:
                best, best_shift = price, shift
    return best, best_shift


@inner
def is_spare(s: Search, shift: int) -> bool:
    """Whether an empty shift just like this one has been tried in this round (marks in `stamp`)."""
    if s.routes.length[shift] > 0:
        return False
    mark = len(s.routes.length) + s.twin[shift]
    if s.stamp[mark] == s.stamp[-1]:
        return True
    s.stamp[mark] = s.stamp[-1]
    return False


@inner
def put(p: Arrays, s: Search, leg: int, shift: int) -> None:
    """Insert at the cached place."""
    insert(p, s.routes, leg, shift, s.place[leg, shift, 0], s.place[leg, shift, 1])


@inner
def serve_alone(p: Arrays, s: Search, leg: int, blink: float) -> bool:
    """Put one leg where it costs least."""
    _, shift = cheapest_shift(p, s, leg, NOWHERE, blink)
    if shift >= 0:
        put(p, s, leg, shift)
    return shift >= 0


@inner
def serve_together(p: Arrays, s: Search, leg: int, partner: int, blink: float) -> bool:
    """Put both ways in with one and the same volunteer: the cheapest of those who can."""
    best, best_shift = NO_PLACE, NOWHERE
    for c in range(s.candidates.shape[1]):
        shift = s.candidates[leg, c]
        if shift < 0:
            break
        price = cached_insertion(p, s, leg, shift)
        if price == NO_PLACE or draw(s.random) < blink:
            continue
        put(p, s, leg, shift)
        back, _ = cheapest_shift(p, s, partner, p.shift_driver[shift], 0.0)
        remove(p, s.routes, leg)
        if back < NO_PLACE and price + back < best:
            best, best_shift = price + back, shift
    if best_shift < 0:
        return False
    cached_insertion(p, s, leg, best_shift)
    put(p, s, leg, best_shift)
    _, shift = cheapest_shift(p, s, partner, p.shift_driver[best_shift], 0.0)
    put(p, s, partner, shift)
    return True


@inner
def serve(p: Arrays, s: Search, leg: int, blink: float) -> None:
    """Put a leg and its other way back, both or none where the person needs both."""
    shift_of = s.routes.shift_of
    if shift_of[leg] >= 0:
        return
    partner = p.partner[leg]
    if partner >= 0 and p.same_driver[leg]:
        if shift_of[partner] < 0:
            if serve_together(p, s, leg, partner, blink) or p.both_or_none[leg]:
                return
            if not serve_alone(p, s, leg, blink):
                serve_alone(p, s, partner, blink)
        return
    done = serve_alone(p, s, leg, blink)
    if partner >= 0 and shift_of[partner] < 0 and (done or not p.both_or_none[leg]):
        back = serve_alone(p, s, partner, blink)
        if done and not back and p.both_or_none[leg]:
            remove(p, s.routes, leg)


@inner
def take_out(p: Arrays, s: Search, leg: int) -> int:
    """Remove a leg and its other way. Returns how many were removed."""
    n = 0
    partner = p.partner[leg]
    if s.routes.shift_of[leg] >= 0:
        remove(p, s.routes, leg)
        n += 1
    if partner >= 0 and s.routes.shift_of[partner] >= 0:
        remove(p, s.routes, partner)
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
def recreate(p: Arrays, s: Search, blink: float) -> None:
    """Serve the unserved in one of several orders: locked first, then at random, longest ride, earliest, tightest or hardest first."""
    r = s.routes
    legs = len(r.shift_of)
    mode = int(draw(s.random) * 5)
    absent, key = s.absent, s.key
    n = 0
    for leg in range(legs):
        if r.shift_of[leg] >= 0 or s.candidates[leg, 0] < 0:
            continue
        absent[n] = leg
        if mode == 0:
            key[n] = draw(s.random)
        elif mode == 1:
            key[n] = -p.direct[leg]
        elif mode == 2:
            key[n] = p.early[2 * leg]
        elif mode == 3:
            key[n] = p.late[2 * leg] - p.early[2 * leg]
        else:
            key[n] = s.choices[leg]
        key[n] = (key[n] + draw(s.random)) - 1e12 * int(p.locked[leg]) - (1e9 * p.priority[leg] if mode == 4 else 0.0)
        n += 1
    if blink > 0.0 and n <= MOST_REGRETTED and draw(s.random) < REGRET_SHARE:
        regret(p, s, n)
        return
    sort_by_key(absent, key, n)
    for k in range(n):
        serve(p, s, absent[k], blink)


@inner
def sort_by_key(item: IntArray, key: npt.NDArray[np.float64], n: int) -> None:
    """Heapsort of the first n items, smallest key first."""
    for first in range(n // 2 - 1, -1, -1):
        _sift(item, key, first, n)
    for last in range(n - 1, 0, -1):
        item[0], item[last] = item[last], item[0]
        key[0], key[last] = key[last], key[0]
        _sift(item, key, 0, last)


@inner
def _sift(item: IntArray, key: npt.NDArray[np.float64], k: int, n: int) -> None:
    while True:
        child = 2 * k + 1
        if child >= n:
            return
        if child + 1 < n and key[child + 1] > key[child]:
            child += 1
        if key[k] >= key[child]:
            return
        item[k], item[child] = item[child], item[k]
        key[k], key[child] = key[child], key[k]
        k = child


@kernel
def regret(p: Arrays, s: Search, n: int) -> None:
    """Serve next whom it would cost most to leave for later: the distance between the two cheapest shifts, with some noise."""
    absent, left = s.absent, n
    while left > 0:
        chosen, most = NOWHERE, -1.0
        for k in range(left):
            leg = absent[k]
            if s.routes.shift_of[leg] >= 0:
                continue
            best, second = NO_PLACE, NO_PLACE
            s.stamp[-1] += 1
            for c in range(s.candidates.shape[1]):
                shift = s.candidates[leg, c]
                if shift < 0:
                    break
                if is_spare(s, shift):
                    continue
                price = s.price[leg, shift] if s.seen[leg, shift] == s.routes.version[shift] else cached_insertion(p, s, leg, shift)
                if price < best:
                    best, second = price, best
                elif price < second:
                    second = price
            if best < NO_PLACE:
                gain = (min(float(second), 100.0 * s.scale[0]) - best) * (0.8 + 0.4 * draw(s.random)) + 1e12 * p.locked[leg] + 1e7
                if gain > most:
                    chosen, most = k, gain
        if chosen < 0:
            return
        serve(p, s, absent[chosen], 0.0)
        left -= 1
        absent[chosen], absent[left] = absent[left], absent[chosen]


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
def improve(p: Arrays, s: Search, iterations: int, progress_from: float, progress_to: float) -> None:
    """Run so many iterations of ruin and recreate; progress (0 to 1 over the whole search) sets temperature and weights."""
    new, scale = s.new, s.scale[0]
    for k in range(iterations):
        progress = progress_from + (progress_to - progress_from) * k / iterations
        temperature = 0.1 * scale * 0.003**progress
        unserved_price = 3.0 * scale * 10.0 ** (4.0 * min(1.0, progress / 0.6))
        keep(s.routes)
        ruin(p, s)
        recreate(p, s, BLINK)
        measure(p, s.routes, new)
        step = unserved_price * (new[0] - s.levels[0]) + float(BROKEN_PRICE) * (new[1] - s.levels[1])
        step += (new[2] - s.levels[2]) + COMFORT_PRICE * (new[3] - s.levels[3]) + GOODWILL_PRICE * (new[4] - s.levels[4])
        if step < -temperature * np.log(max(1e-12, draw(s.random))):
            for q in range(5):
                s.levels[q] = new[q]
            remember_routes(s)
            if is_better(s.levels, s.best_levels):
                remember_best(s)
        else:
            undo(p, s.routes)


@inner
def remember_routes(s: Search) -> None:
    """Put the routes that this round has changed into the pool, as long as there is room."""
    r, pool = s.routes, s.pool
    mask = len(pool.table) - 1
    for shift in range(len(r.length)):
        m = r.length[shift]
        if not r.touched[shift] or m == 0 or m > pool.stops.shape[1] or r.figures[shift, 3] >= OVERRUN:
            continue
        code = np.uint64(s.twin[shift] + 1) * np.uint64(0x9E3779B97F4A7C15)
        for k in range(m):
            if r.stops[shift, k] & 1 == 0:
                code ^= pool.salt[r.stops[shift, k] >> 1]
        slot = np.int64(code & np.uint64(mask))
        while pool.table[slot] >= 0 and pool.hash[pool.table[slot]] != code:
            slot = (slot + 1) & mask
        at = pool.table[slot]
        price = r.figures[shift, 1] + COMFORT_PRICE * r.figures[shift, 2] + BROKEN_PRICE * r.figures[shift, 3]
        if at < 0:
            if pool.size[0] == len(pool.length):
                return
            at = pool.size[0]
            pool.size[0] += 1
            pool.table[slot], pool.hash[at], pool.price[at] = at, code, NO_PLACE
        if price < pool.price[at]:
            pool.price[at], pool.shift[at], pool.length[at] = price, shift, m
            for k in range(m):
                pool.stops[at, k] = r.stops[shift, k]


@kernel
def fill_solo(p: Arrays, s: Search, solo: IntArray) -> None:
    """Price of every leg alone in every empty shift."""
    for leg in range(solo.shape[0]):
        for shift in range(solo.shape[1]):
            solo[leg, shift] = best_insertion(p, s.routes, leg, shift)[0]


def make_search(p: Arrays, seed: int, neighbours: int = 100) -> Search:
    """Empty routes, candidate shifts and related legs. O(L S + L^2 log L)."""
    routes = make_routes(p)
    legs, shifts = len(p.priority), len(p.shift_driver)
    empty = Search(
        routes=routes,
        candidates=np.full((legs, max(1, shifts)), -1, np.int64),
        choices=np.zeros(legs, np.int64),
        near=np.zeros((legs, 0), np.int64),
        price=np.zeros((legs, shifts), np.int64),
        place=np.zeros((legs, shifts, 2), np.int64),
        seen=np.full((legs, shifts), -1, np.int64),
        levels=np.zeros(5, np.int64),
        best_levels=np.zeros(5, np.int64),
        best_stops=np.zeros_like(routes.stops),
        best_length=np.zeros_like(routes.length),
        twin=twins(p),
        scale=np.ones(1),
        pool=make_pool(legs, routes.stops.shape[1]),
        absent=np.zeros(legs + 1, np.int64),
        key=np.zeros(legs + 1),
        string=np.zeros(LONGEST_STRING, np.int64),
        pickups=np.zeros(routes.stops.shape[1], np.int64),
        stamp=np.zeros(2 * shifts + 1, np.int64),
        new=np.zeros(5, np.int64),
        random=np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 or 1], np.uint64),
    )
    solo = np.full((legs, shifts), NO_PLACE, np.int64)
    fill_solo(p, empty, solo)
    order = np.argsort(solo, axis=1, kind="stable")
    sorted_solo = np.take_along_axis(solo, order, axis=1)
    candidates = np.where(sorted_solo < NO_PLACE, order, -1)
    width = max(1, int((candidates >= 0).sum(axis=1).max(initial=1)))
    feasible = sorted_solo[:, 0][sorted_solo[:, 0] < NO_PLACE] if shifts else np.zeros(0)
    search = empty._replace(
        candidates=np.ascontiguousarray(candidates[:, :width]) if shifts else empty.candidates,
        choices=(candidates >= 0).sum(axis=1),
        near=related_legs(p, min(neighbours, max(0, legs - 1))),
        scale=np.array([float(feasible.mean()) if len(feasible) else 1.0]),
    )
    measure(p, routes, search.levels)
    remember_best(search)
    return search


def twins(p: Arrays) -> IntArray:
    """A number for each kind of shift: equal where nothing tells two shifts apart (one shift a driver, same home, car, limits, people)."""
    alone = np.bincount(p.shift_driver, minlength=len(p.home)) == 1
    kinds: dict[tuple[bytes | int, ...], int] = {}
    numbers = []
    for shift, driver in enumerate(p.shift_driver.tolist()):
        columns = (p.home, p.capacity, p.max_metres, p.max_rides, p.recent_rides)
        about = tuple(column[driver].tobytes() for column in columns)
        about += tuple(column[shift].tobytes() for column in (p.shift_from, p.shift_to, p.max_duty))
        about += (p.allowed[:, driver].tobytes(), p.bond[:, driver].tobytes())
        promised = bool((p.told_driver == driver).any()) or not alone[driver]
        numbers.append(kinds.setdefault((*about, shift if promised else -1), len(kinds)))
    return np.array(numbers, np.int64)


def make_pool(legs: int, width: int) -> Pool:
    """An empty pool."""
    width = min(width, POOL_STOPS)
    rng = np.random.default_rng(1)
    return Pool(
        stops=np.zeros((POOL_ROUTES, width), np.int32),
        length=np.zeros(POOL_ROUTES, np.int64),
        shift=np.zeros(POOL_ROUTES, np.int64),
        price=np.zeros(POOL_ROUTES, np.int64),
        hash=np.zeros(POOL_ROUTES, np.uint64),
        table=np.full(4 * POOL_ROUTES, -1, np.int64),
        salt=rng.integers(1, 2**63, max(1, legs), np.uint64) * np.uint64(2) + np.uint64(1),
        size=np.zeros(1, np.int64),
    )


def related_legs(p: Arrays, count: int) -> IntArray:
    """For each leg the `count` others that one route could share with it: near in place and in time."""
    pick, drop = p.place[0::2], p.place[1::2]
    times = np.minimum(p.times, 86_400)
    here = times[np.ix_(pick, pick)] + times[np.ix_(drop, drop)]
    chain = 2 * np.minimum(times[np.ix_(drop, pick)], times[np.ix_(drop, pick)].T)
    middle = (p.early[0::2] + p.late[1::2]) // 2
    apart = np.abs(middle[:, None] - middle[None, :])
    distance = np.minimum(here, chain) + apart // 2
    np.fill_diagonal(distance, np.iinfo(np.int64).max)
    return np.ascontiguousarray(np.argsort(distance, axis=1, kind="stable")[:, :count])


def best_routes(search: Search) -> list[list[int]]:
    """The best routes as lists of stops, one per shift."""
    return [search.best_stops[s, : search.best_length[s]].tolist() for s in range(len(search.best_length))]


def construct(p: Arrays, search: Search) -> None:
    """First plan: cheapest insertion, the hardest people first."""
    recreate(p, search, 0.0)
    measure(p, search.routes, search.levels)
    if is_better(search.levels, search.best_levels):
        remember_best(search)
