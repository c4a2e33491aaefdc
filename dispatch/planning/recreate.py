"""Putting people back: the cheapest place for a leg and its other way, in one of several orders, or by regret.

In: the arrays of a problem and a `Search` with people left out. Kernels, called by `search`.
"""

import numpy as np
import numpy.typing as npt

from dispatch.planning.insertion import GOODWILL_PRICE, NO_PLACE, NOWHERE, best_insertion, goodwill_added, insert, random_insertion, remove
from dispatch.planning.problem import SAME_DRIVER_BONUS, Arrays, IntArray
from dispatch.planning.schedule import draw, inner, kernel, woven
from dispatch.planning.state import Search

BLINK = 0.01  # share of places overlooked on purpose, at least
REGRET_SHARE, MOST_REGRETTED = 0.3, 40  # of the rounds in which few legs are out


@woven
def cached_place(p: Arrays, s: Search, leg: int, shift: int) -> int:
    """Which of the two cached insertions holds the best place of a leg in a shift as it is now; computed when neither does.

    What is tried has a cache of its own: most rounds are undone, and what was known of the state before still holds then.
    """
    version = s.routes.version[shift]
    for slot in range(2):
        if s.seen[leg, shift, slot] == version:
            return slot
    slot = 1 if s.routes.touched[shift] else 0
    price, i, j = best_insertion(p, s.routes, leg, shift)
    s.price[leg, shift, slot], s.seen[leg, shift, slot] = price, version
    s.place[leg, shift, slot, 0], s.place[leg, shift, slot, 1] = i, j
    return slot


@woven
def cached_insertion(p: Arrays, s: Search, leg: int, shift: int) -> int:
    """Price of the best place of a leg in a shift; computed only when the shift has changed since."""
    return s.price[leg, shift, cached_place(p, s, leg, shift)]


@woven
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
def cheapest_shift(p: Arrays, s: Search, leg: int, only_driver: int, blink: float) -> tuple[int, int]:
    """(price with goodwill, shift) of the best place over all candidate shifts, or (NO_PLACE, -1)."""
    best, best_shift = NO_PLACE, NOWHERE
    s.stamp[-1] += 1
    for c in range(s.candidates.shape[1]):
        shift = s.candidates[leg, c]
        if shift < 0:
            break
        driver = p.shift_driver[shift]
        if (only_driver >= 0 and driver != only_driver) or is_spare(s, shift) or (blink > 0.0 and draw(s.random) < blink):
            continue
        price = cached_insertion(p, s, leg, shift)
        if price < NO_PLACE:
            price += GOODWILL_PRICE * goodwill_added(p, s.routes, leg, driver, SAME_DRIVER_BONUS)
            if price < best:
                best, best_shift = price, shift
    return best, best_shift


@inner
def put(p: Arrays, s: Search, leg: int, shift: int) -> None:
    """Insert at the best place."""
    slot = cached_place(p, s, leg, shift)
    insert(p, s.routes, leg, shift, s.place[leg, shift, slot, 0], s.place[leg, shift, slot, 1])


@inner
def serve_alone(p: Arrays, s: Search, leg: int, blink: float) -> bool:
    """Put one leg where it costs least."""
    _, shift = cheapest_shift(p, s, leg, NOWHERE, blink)
    if shift >= 0:
        put(p, s, leg, shift)
        if blink > BLINK and draw(s.random) < blink - BLINK:  # elsewhere in this route: on small days only
            remove(p, s.routes, leg)
            i, j = random_insertion(p, s.routes, leg, shift, s.random)
            if i >= 0:
                insert(p, s.routes, leg, shift, i, j)
            else:
                put(p, s, leg, shift)
    return shift >= 0


@inner
def serve_together(p: Arrays, s: Search, leg: int, partner: int, blink: float) -> bool:
    """Put both ways in with one and the same volunteer: the cheapest of those who can; now and then anybody, anywhere."""
    if blink > BLINK and draw(s.random) < blink - BLINK and s.choices[leg] > 0:
        shift = s.candidates[leg, int(draw(s.random) * s.choices[leg])]
        i, j = random_insertion(p, s.routes, leg, shift, s.random)
        if i >= 0:
            insert(p, s.routes, leg, shift, i, j)
            _, back = cheapest_shift(p, s, partner, p.shift_driver[shift], 0.0)
            if back >= 0:
                put(p, s, partner, back)
                return True
            remove(p, s.routes, leg)
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


@kernel
def regret(p: Arrays, s: Search, n: int) -> None:
    """Serve next whom it would cost most to leave for later: the distance between the two cheapest shifts, with some noise.

    After each, only the shifts that have changed are looked at anew; a leg whose two best were among them looks at all of them.
    """
    absent, left, ranked = s.absent, n, s.ranked
    for k in range(left):
        rank(p, s, absent[k])
    while left > 0:
        chosen, most = NOWHERE, -1.0
        for k in range(left):
            leg = absent[k]
            if s.routes.shift_of[leg] >= 0:
                continue
            best, second = ranked[leg, 0], ranked[leg, 1]
            if best < NO_PLACE:
                gain = (min(float(second), 100.0 * s.scale[0]) - best) * (0.8 + 0.4 * draw(s.random)) + 1e12 * p.locked[leg] + 1e7
                if gain > most:
                    chosen, most = k, gain
        if chosen < 0:
            return
        before = s.routes.counter[0]
        serve(p, s, absent[chosen], 0.0)
        left -= 1
        absent[chosen], absent[left] = absent[left], absent[chosen]
        for shift in range(len(s.routes.version)):
            if s.routes.version[shift] > before:
                for k in range(left):
                    rank_again(p, s, absent[k], shift)


@inner
def rank(p: Arrays, s: Search, leg: int) -> None:
    """Fill `ranked` of a leg: price of its cheapest and second cheapest place, and their shifts."""
    best, second, first, other = NO_PLACE, NO_PLACE, NOWHERE, NOWHERE
    s.stamp[-1] += 1
    for c in range(s.candidates.shape[1]):
        shift = s.candidates[leg, c]
        if shift < 0:
            break
        if is_spare(s, shift):
            continue
        price = cached_insertion(p, s, leg, shift)
        if price < best:
            best, second, first, other = price, best, shift, first
        elif price < second:
            second, other = price, shift
    s.ranked[leg, 0], s.ranked[leg, 1], s.ranked[leg, 2], s.ranked[leg, 3] = best, second, first, other


@inner
def rank_again(p: Arrays, s: Search, leg: int, shift: int) -> None:
    """Bring `ranked` of a leg up to date with a shift that has changed."""
    if s.routes.shift_of[leg] >= 0:
        return
    if shift == s.ranked[leg, 2] or shift == s.ranked[leg, 3]:
        rank(p, s, leg)
        return
    price = cached_insertion(p, s, leg, shift)
    if price < s.ranked[leg, 0]:
        s.ranked[leg, 1], s.ranked[leg, 3] = s.ranked[leg, 0], s.ranked[leg, 2]
        s.ranked[leg, 0], s.ranked[leg, 2] = price, shift
    elif price < s.ranked[leg, 1]:
        s.ranked[leg, 1], s.ranked[leg, 3] = price, shift


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
