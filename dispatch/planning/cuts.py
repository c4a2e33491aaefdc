"""Subset-row cuts: of any three legs, only one run can carry two or more.

In: runs and their shares in a linear program. Out: triples of legs that these shares break, how often a run or a block counts in each, and
what that costs a label. Called by `master`, `program` and `labels`.

A linear program likes to drive a and b, b and c, a and c in one half of a run each, and so to serve three people with one and a half runs.
With a price on "two or more of a, b, c" a run is the dearer the more such triples it takes, which its label counts in bits (Jepsen,
Petersen, Spoorendonk, Pisinger 2008, doi:10.1287/opre.1070.0449).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.blocks import Blocks
from dispatch.planning.problem import Arrays, IntArray
from dispatch.planning.schedule import kernel, woven

MOST_CUTS = 64  # bits of a label
_MOST_AT_ONCE, _MOST_OF_LEG = 20, 4
_BROKEN = 0.02  # by less than this a triple is left alone

Triple = tuple[int, int, int]


class Cuts(NamedTuple):
    """C triples, and what the F blocks count in them: twice or more at once, or once on top of what was carried before."""

    legs: IntArray  # [C, 3]
    whole: npt.NDArray[np.float64]  # [F, C] pairs of the triple's legs in the block
    odd: npt.NDArray[np.uint64]  # [F] bit c: one leg more than these pairs


class Toll(NamedTuple):
    """What runs pay in one round of pricing."""

    legs: IntArray  # [C, 3]
    price: npt.NDArray[np.float64]  # [C] of carrying two or three legs of a triple
    odd: npt.NDArray[np.uint64]  # [F] as in `Cuts`, of the triples that cost something; what whole pairs cost is in the block's worth


def make_cuts(triples: Sequence[Triple], blocks: Blocks, legs: int) -> Cuts:
    """What `labels` needs to know of the triples. O(F C)."""
    member = np.zeros((legs + 1, len(triples)), np.int64)
    for c, triple in enumerate(triples):
        member[list(triple), c] = 1
    count = sum((member[blocks.legs[:, k]] for k in range(blocks.legs.shape[1])), np.zeros((len(blocks.size), len(triples)), np.int64))
    bit = np.uint64(1) << np.arange(len(triples), dtype=np.uint64)
    odd = np.where(count % 2 == 1, bit, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    return Cuts(np.array(triples, np.int64).reshape(-1, 3), (count // 2).astype(np.float64), odd)


def weights(triples: Sequence[Triple], legs: Iterable[int]) -> dict[int, int]:
    """How often a run with these legs counts in each triple, those where it does not left out."""
    of_leg = _triples_of(tuple(triples))
    carried = Counter(c for leg in legs for c in of_leg.get(leg, ()))
    return {c: count // 2 for c, count in carried.items() if count > 1}


@lru_cache(maxsize=4)
def _triples_of(triples: tuple[Triple, ...]) -> dict[int, list[int]]:
    """By leg: most runs have few of the triples, and thousands of runs are asked."""
    of_leg: dict[int, list[int]] = {}
    for c, triple in enumerate(triples):
        for leg in triple:
            of_leg.setdefault(leg, []).append(c)
    return of_leg


def broken_triples(routes: Sequence[Sequence[int]], share: Any, legs: int, known: Sequence[Triple]) -> list[Triple]:
    """New triples that these runs break most, each leg in a few. O(L^3), and the runs for those near the limit."""
    carried = np.zeros((len(routes), legs), np.bool_)
    for k, route in enumerate(routes):
        carried[k, list(route)] = True
    heavy = np.asarray(share, np.float64)
    pairs = carried.T.astype(np.float64) @ (carried * heavy[:, None])
    found = np.zeros((4096, 3), np.int64)
    excess = np.zeros(len(found))
    n = scan_triples(np.ascontiguousarray(pairs), carried, heavy, 1.0 + _BROKEN, found, excess)
    used = np.zeros(legs, np.int64)
    taken: list[Triple] = []
    for k in np.argsort(-excess[:n], kind="stable"):
        triple = (int(found[k, 0]), int(found[k, 1]), int(found[k, 2]))
        if len(taken) == min(_MOST_AT_ONCE, MOST_CUTS - len(known)):
            break
        if triple not in known and (used[list(triple)] < _MOST_OF_LEG).all():
            used[list(triple)] += 1
            taken.append(triple)
    return taken


@kernel
def scan_triples(pairs: Any, carried: Any, share: Any, limit: float, found: IntArray, excess: Any) -> int:
    """Write triples whose weight is above the limit, as many as there is room for; returns their number."""
    n, legs = 0, pairs.shape[0]
    for a in range(legs):
        for b in range(a + 1, legs):
            for c in range(b + 1, legs):
                weight = pairs[a, b] + pairs[a, c] + pairs[b, c]
                if weight <= limit:
                    continue
                for run in range(len(share)):  # who carries all three was counted three times, and counts once
                    if carried[run, a] and carried[run, b] and carried[run, c]:
                        weight -= 2.0 * share[run]
                if weight > limit and n < len(found):
                    found[n, 0], found[n, 1], found[n, 2], excess[n] = a, b, c, weight
                    n += 1
    return n


@woven
def price_of(x: Toll, bits: Any) -> float:
    """Of all triples that are named."""
    total = 0.0
    c = 0
    while bits != 0:
        if bits & np.uint64(1):
            total += x.price[c]
        bits >>= np.uint64(1)
        c += 1
    return total


@woven
def still_of_use(p: Arrays, x: Toll, bits: Any, moment: int, place: int) -> Any:
    """Only the triples of which another leg could be reached from here."""
    left = bits
    kept = np.uint64(0)
    c = 0
    while left != 0:
        if left & np.uint64(1):
            for k in range(3):
                leg = x.legs[c, k]
                if moment + p.times[place, p.place[2 * leg]] <= p.late[2 * leg]:
                    kept |= np.uint64(1) << np.uint64(c)
                    break
        left >>= np.uint64(1)
        c += 1
    return kept


@woven
def is_cheaper(x: Toll, cost: float, bits: Any, other_cost: float, other_bits: Any) -> bool:
    """Whether it stays so, even if every triple in which only the first is odd is completed later."""
    more = bits & ~other_bits
    return bool(more == 0 or cost + price_of(x, more) <= other_cost)
