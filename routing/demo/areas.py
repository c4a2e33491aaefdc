"""What a map shows between the roads of the demo territory: the river's two banks, built-up land around communes, woods and ponds.

In: the `Land`. Out: areas in metres, none of which a car takes notice of. Called by `write_extract`. The same land has the same areas.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from routing.demo.land import HEIGHT_M, WIDTH_M, XY, Floats, Land

WOODS, PONDS = 90, 14
_BANK_M = 22.0


@dataclass(frozen=True)
class Area:
    """A ring of points [k, 2], its last one not repeated."""

    ring: Floats
    tags: dict[str, str]


def make_areas(land: Land) -> list[Area]:
    """Draw them; from numbers of their own, so that roads and people do not depend on them."""
    rng = np.random.default_rng(int(sum(commune.population for commune in land.communes)))
    return [_make_river(land), *_make_built(land, rng), *_make_woods(land, rng)]


def _make_river(land: Land) -> Area:
    x = np.linspace(0, WIDTH_M, 400)
    y = land.river.north_of(x)
    wide = _BANK_M * (1 + 0.35 * np.sin(x / 900.0) + x / WIDTH_M)
    banks = np.concatenate([np.column_stack([x, y - wide]), np.column_stack([x, y + wide])[::-1]])
    return Area(banks, {"natural": "water", "water": "river"})


def _make_built(land: Land, rng: np.random.Generator) -> Iterator[Area]:
    for commune in land.communes:
        yield Area(_blob(rng, commune.xy, 0.95 * commune.radius_m, 0.12), {"landuse": "residential"})


def _make_woods(land: Land, rng: np.random.Generator) -> Iterator[Area]:
    """Away from the river and from where people live."""
    centres = np.array([commune.xy for commune in land.communes])
    radii = np.array([commune.radius_m for commune in land.communes])
    made = 0
    for x, y in rng.uniform((900, 900), (WIDTH_M - 900, HEIGHT_M - 900), (900, 2)).tolist():
        if made == WOODS + PONDS:
            return
        wood = made < WOODS
        radius = float(rng.uniform(250, 1_300) if wood else rng.uniform(50, 140))
        away = np.hypot(*(centres - (x, y)).T) - radii
        if away.min() > 1.3 * radius and abs(float(land.river.gap(np.array([[x, y]]))[0])) > 1.5 * radius + 200:
            made += 1
            yield Area(_blob(rng, (x, y), radius, 0.3), {"landuse": "forest"} if wood else {"natural": "water", "water": "pond"})


def _blob(rng: np.random.Generator, centre: XY, radius_m: float, rough: float) -> Floats:
    """A closed line around a point, as the edge of a wood is: a circle with waves on it."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    far = np.full(len(turn), radius_m)
    for waves in (2, 3, 5, 8):
        far += radius_m * rough / waves**0.7 * rng.uniform(0.3, 1.0) * np.sin(waves * turn + rng.uniform(0, 2 * np.pi))
    return np.column_stack([centre[0] + far * np.cos(turn), centre[1] + far * np.sin(turn)])
