"""Routes worth remembering: what the search has accepted on its way is what the master chooses from.

In: the routes of the search after an accepted round. Out: a `Pool`, read by `master`. Kernels, called by `search`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dispatch.planning.insertion import BROKEN_PRICE, COMFORT_PRICE, COST_PRICE, NO_PLACE, OVERRUN, Routes
from dispatch.planning.problem import IntArray
from dispatch.planning.schedule import inner

POOL_ROUTES, POOL_STOPS = 2**14, 48  # routes kept, and stops of the longest


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


@inner
def remember_routes(r: Routes, twin: IntArray, pool: Pool) -> None:
    """Put the routes that this round has changed into the pool, as long as there is room."""
    mask = len(pool.table) - 1
    for shift in range(len(r.length)):
        m = r.length[shift]
        if not r.touched[shift] or m == 0 or m > pool.stops.shape[1] or r.figures[shift, 3] >= OVERRUN:
            continue
        code = np.uint64(twin[shift] + 1) * np.uint64(0x9E3779B97F4A7C15)
        for k in range(m):
            if r.stops[shift, k] & 1 == 0:
                code ^= pool.salt[r.stops[shift, k] >> 1]
        slot = np.int64(code & np.uint64(mask))
        while pool.table[slot] >= 0 and pool.hash[pool.table[slot]] != code:
            slot = (slot + 1) & mask
        at = pool.table[slot]
        price = COST_PRICE * r.figures[shift, 1] + COMFORT_PRICE * r.figures[shift, 2] + BROKEN_PRICE * r.figures[shift, 3]
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


def pool_routes(pool: Pool) -> list[tuple[int, list[int]]]:
    """By shift, the ones remembered last at the end."""
    return [(int(pool.shift[k]), pool.stops[k, : pool.length[k]].tolist()) for k in range(int(pool.size[0]))]
