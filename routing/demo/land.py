"""The lie of the land: a river with few bridges, forty communes and their hamlets on both banks.

In: a random generator. Out: a `Land`, in metres east and north of the south-west corner. Called by `make_demo_extract`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from routing.demo import names

Floats = NDArray[np.float64]
Rank = Literal["border town", "town", "market town", "village", "hamlet"]
XY = tuple[float, float]

WIDTH_M, HEIGHT_M = 45_000.0, 40_000.0
COMMUNES, HAMLETS, BRIDGES = 40, 220, 5
COMMUNE_GAP_M, HAMLET_GAP_M = 4_300.0, 950.0
RIVER_GAP_M = 700.0  # nothing is built nearer to the river
BRIDGE_HALF_M = 60.0


@dataclass(frozen=True, kw_only=True)
class River:
    """Flows from west to east as a sum of waves, so that for every x there is one y."""

    level_m: float
    waves: tuple[tuple[float, float, float], ...]  # amplitude m, length m, phase

    def north_of(self, x: Floats) -> Floats:
        """The river's y at each x, in metres."""
        y = np.full_like(x, self.level_m)
        for amplitude, length, phase in self.waves:
            y += amplitude * np.sin(2 * np.pi * x / length + phase)
        return y

    def gap(self, points: Floats) -> Floats:
        """Metres from the river to each of `points` [n, 2], measured northward: negative on the south bank."""
        return points[:, 1] - self.north_of(points[:, 0])

    def kept_on_bank(self, points: Floats, bank: int, margin_m: Floats) -> Floats:
        """Move points that would be in the water, or beyond it, back to `bank` (1 north, -1 south), at a margin [n]."""
        moved = points.copy()
        moved[:, 1] += bank * np.maximum(0.0, margin_m - bank * self.gap(points))
        return moved


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """A place where people live."""

    name: str
    rank: Rank
    xy: XY
    bank: int
    population: int

    @property
    def radius_m(self) -> float:
        """How far its streets reach; a hamlet has none."""
        return 0.0 if self.rank == "hamlet" else 60.0 + 9.0 * self.population**0.5


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A crossing of the river, by its two heads."""

    south: XY
    north: XY


@dataclass(frozen=True, kw_only=True)
class Land:
    """What the roads have to connect."""

    river: River
    communes: tuple[Settlement, ...]  # the border town first, then the town, then by falling population
    hamlets: tuple[Settlement, ...]
    bridges: tuple[Bridge, ...]


def make_land(rng: np.random.Generator) -> Land:
    """Draw a new territory."""
    river = River(
        level_m=HEIGHT_M * 0.48,
        waves=tuple((a, length, rng.uniform(0, 2 * np.pi)) for a, length in ((2_000.0, 26_000.0), (700.0, 9_000.0), (330.0, 4_300.0))),
    )
    town_x = rng.uniform(0.3, 0.36) * WIDTH_M
    town = (town_x, float(river.north_of(np.array([town_x]))[0]) + 1_050.0)
    border = (WIDTH_M - 2_200.0, rng.uniform(0.12, 0.2) * HEIGHT_M)
    xy = _scatter(rng, river, [border, town], COMMUNES, COMMUNE_GAP_M)
    communes = _make_communes(rng, river, xy)
    hamlet_xy = [p for p in _scatter(rng, river, xy, COMMUNES + HAMLETS, HAMLET_GAP_M)[COMMUNES:] if _outside(p, communes)]
    bridge_x = (np.arange(BRIDGES) + 0.5) * WIDTH_M / BRIDGES + rng.uniform(-1_500, 1_500, BRIDGES)
    bridge_x[np.abs(bridge_x - town_x).argmin()] = town_x
    return Land(
        river=river,
        communes=communes,
        hamlets=tuple(_make_hamlets(rng, river, hamlet_xy)),
        bridges=tuple(_make_bridge(river.north_of, float(x)) for x in bridge_x),
    )


def _scatter(rng: np.random.Generator, river: River, fixed: list[XY], count: int, gap_m: float) -> list[XY]:
    """Throw darts until `count` points keep their distance from each other and from the river (Poisson disc sampling, O(darts x count))."""
    found = list(fixed)
    for dart in rng.uniform((1_500.0, 1_500.0), (WIDTH_M - 1_500.0, HEIGHT_M - 1_500.0), (60_000, 2)):
        if len(found) == count:
            break
        far = np.hypot(*(np.array(found) - dart).T).min() >= gap_m
        if far and abs(river.gap(dart[None])[0]) >= RIVER_GAP_M:
            found.append((float(dart[0]), float(dart[1])))
    return found


def _make_communes(rng: np.random.Generator, river: River, xy: list[XY]) -> tuple[Settlement, ...]:
    count = len(xy)
    called = [names.BORDER_TOWN, names.TOWN, *rng.permutation(names.COMMUNES)[: count - 2].tolist()]
    ranks: list[Rank] = ["border town", "town", "market town", "market town", "market town"]
    ranks += ["village"] * (count - len(ranks))
    people = [31_400, 9_850, 2_740, 2_310, 1_920, *np.sort(110 * np.exp(rng.uniform(0, 2.6, count - 5))).astype(int).tolist()[::-1]]
    places = [xy[0], xy[1], *_apart_first(xy[2:])]
    drawn = zip(called, ranks, places, people, strict=True)
    return tuple(Settlement(name=n, rank=r, xy=p, bank=_bank(river, p), population=k) for n, r, p, k in drawn)


def _apart_first(xy: list[XY]) -> list[XY]:
    """Put three points near three far corners first, so that the market towns do not stand together."""
    corners = np.array([(0.15, 0.8), (0.75, 0.75), (0.2, 0.15)]) * (WIDTH_M, HEIGHT_M)
    first = {int(np.hypot(*(np.array(xy) - corner).T).argmin()) for corner in corners}
    return [xy[k] for k in sorted(first)] + [p for k, p in enumerate(xy) if k not in first]


def _make_hamlets(rng: np.random.Generator, river: River, xy: list[XY]) -> Iterable[Settlement]:
    called = [f"{first} {last}" for first in names.HAMLET_FIRST for last in names.HAMLET_LAST]
    for name, p, people in zip(rng.permutation(called), xy, rng.integers(4, 70, len(xy)), strict=False):
        yield Settlement(name=str(name), rank="hamlet", xy=p, bank=_bank(river, p), population=int(people))


def _outside(xy: XY, communes: Iterable[Settlement]) -> bool:
    return all(np.hypot(xy[0] - c.xy[0], xy[1] - c.xy[1]) > c.radius_m + 250 for c in communes)


def _make_bridge(north_of: Callable[[Floats], Floats], x: float) -> Bridge:
    west, middle, east = north_of(np.array([x - 10, x, x + 10]))
    across = np.array([-(east - west), 20.0])
    across *= BRIDGE_HALF_M / np.hypot(*across)
    return Bridge(south=(x - across[0], middle - across[1]), north=(x + across[0], middle + across[1]))


def _bank(river: River, xy: XY) -> int:
    return 1 if river.gap(np.array([xy]))[0] > 0 else -1
