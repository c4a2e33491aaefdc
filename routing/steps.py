"""What a driver is told along a way: leave, turn, roundabouts by the exit, arrive on which side; in French and English.

In: a network and the `Leg`s of a route. Out: `Step`s. Called by `routing.route`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from routing.hierarchy import METRE_BITS
from routing.network import NO_WAY, RoadNetwork
from routing.units import EARTH_RADIUS_M

_TURN_DEGREES, _SHARP_DEGREES, _BACK_DEGREES = 35, 120, 170
_BESIDE_M = 3.0  # nearer than this a door is on no side

Point = tuple[float, float]


class Leg(NamedTuple):
    """Part of an edge: from one share of its length to another."""

    edge: int
    begins: float
    ends: float
    weight: int  # of turning into it and driving it; `split` tells milliseconds and metres
    turn: int  # of turning into it


class Piece(NamedTuple):
    """A straight part of a leg."""

    point: int  # of the network, where it begins or, driven against, ends
    start: Point
    end: Point
    share: float  # of the edge's length


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do at one place, and how far it carries."""

    sentence: str  # French
    sentence_en: str
    name: str  # of the road that is driven then; may be empty
    lonlat: Point
    ms: int  # turning and driving until the next step
    metres: int


def split(weight: int) -> tuple[int, int]:
    """Milliseconds and metres."""
    return weight >> METRE_BITS, weight & ((1 << METRE_BITS) - 1)


def pieces_of(network: RoadNetwork, leg: Leg) -> list[Piece]:
    """The straight pieces of a leg in the order they are driven; one of no length where the leg has none."""
    part = slice(int(network.pointer[leg.edge]), int(network.pointer[leg.edge + 1]))
    share, lon, lat = (column[part].astype(np.float64) for column in (network.length_share, network.lon, network.lat))
    low, high = min(leg.begins, leg.ends), max(leg.begins, leg.ends)
    cuts = np.unique(np.concatenate([[low], share[(share > low) & (share < high)], [high]]))
    at = [(float(x), float(y)) for x, y in zip(np.interp(cuts, share, lon), np.interp(cuts, share, lat), strict=True)]
    middles = (cuts[1:] + cuts[:-1]) / 2 if len(cuts) > 1 else cuts
    index = part.start + np.clip(np.searchsorted(share, middles, "right") - 1, 0, len(share) - 2)
    if len(cuts) == 1:
        return [Piece(int(index[0]), at[0], at[0], 0.0)]
    pieces = [Piece(int(index[k]), at[k], at[k + 1], float(cuts[k + 1] - cuts[k])) for k in range(len(index))]
    return pieces if leg.begins <= leg.ends else [Piece(k, b, a, length) for k, a, b, length in reversed(pieces)]


def make_steps(network: RoadNetwork, legs: list[Leg], door: Point | None) -> Iterator[Step]:
    """A step where the road's name changes or one turns; straight on along the same road is no step, a roundabout is one."""
    step: Step | None = None
    heading, last = 0.0, (0.0, 0.0)
    exits: int | None = None  # counted since the roundabout was entered
    for leg in legs:
        pieces = pieces_of(network, leg)
        done = np.cumsum([0.0, *(piece.share for piece in pieces)])
        done = done / done[-1] if done[-1] > 0 else np.linspace(0, 1, len(done))
        ms, metres = (np.diff(np.rint(done * whole)).astype(int) for whole in split(leg.weight))
        for k, piece in enumerate(pieces):
            bearing = _bearing(piece.start, piece.end) if piece.start != piece.end else heading
            bend = (bearing - heading + 540) % 360 - 180
            way = network.way[piece.point]
            road, is_round = network.names[network.way_name[way]], bool(network.way_round[way])
            if step is None:
                step = _step(_depart(bearing), road, piece.start)
            elif is_round and exits is None:
                yield step
                step, exits = _step(("Entrez dans le rond-point", "Enter the roundabout"), "", piece.start), 0
            elif exits is not None and not is_round:
                step, exits = _renamed(step, _leave_roundabout(exits), road), None
            elif exits is None and (road != step.name or (k == 0 and abs(bend) > _TURN_DEGREES)):
                yield step
                step = _step(_turn(bend), road, piece.start)
            step = replace(step, ms=step.ms + int(ms[k]), metres=step.metres + int(metres[k]))
            heading, last = bearing, piece.end
        if exits is not None:
            exits += _has_exit(network, int((network.edge_to if leg.ends >= leg.begins else network.edge_from)[leg.edge]))
    if step is not None:
        yield step
    yield Step(**_arrive(heading, last, door), name="", lonlat=last, ms=0, metres=0)


def _has_exit(network: RoadNetwork, node: int) -> bool:
    """Whether a road that is not the roundabout can be driven into from a node."""
    for ends, duration, side in ((network.edge_from, network.ms_along, 0), (network.edge_to, network.ms_against, 1)):
        for edge in np.nonzero((ends == node) & (duration != NO_WAY))[0]:
            first = network.pointer[edge] if side == 0 else network.pointer[edge + 1] - 2
            if not network.way_round[network.way[first]]:
                return True
    return False


def _step(words: tuple[str, str], road: str, at: Point) -> Step:
    return _renamed(Step(sentence="", sentence_en="", name="", lonlat=at, ms=0, metres=0), words, road)


def _renamed(step: Step, words: tuple[str, str], road: str) -> Step:
    fr, en = words
    return replace(step, name=road, sentence=f"{fr} : {road}." if road else f"{fr}.", sentence_en=f"{en}: {road}." if road else f"{en}.")


def _depart(bearing: float) -> tuple[str, str]:
    quarter = round(bearing % 360 / 90) % 4
    fr = ("le nord", "l'est", "le sud", "l'ouest")[quarter]
    return f"Partez vers {fr}", f"Leave towards the {('north', 'east', 'south', 'west')[quarter]}"


def _turn(bend: float) -> tuple[str, str]:
    """By the angle, right positive."""
    if abs(bend) > _BACK_DEGREES:
        return "Faites demi-tour", "Turn round"
    fr, en = ("à droite", "right") if bend > 0 else ("à gauche", "left")
    if abs(bend) > _SHARP_DEGREES:
        return f"Tournez franchement {fr}", f"Turn sharp {en}"
    return (f"Tournez {fr}", f"Turn {en}") if abs(bend) > _TURN_DEGREES else ("Continuez", "Go on")


def _leave_roundabout(exits: int) -> tuple[str, str]:
    ordinal = "1re" if exits <= 1 else f"{exits}e"
    english = {1: "1st", 2: "2nd", 3: "3rd"}.get(max(exits, 1), f"{exits}th")
    return f"Au rond-point, prenez la {ordinal} sortie", f"At the roundabout take the {english} exit"


def _arrive(heading: float, last: Point, door: Point | None) -> dict[str, str]:
    """The last sentence; the side is told where the door is clearly beside the road."""
    if door is not None:
        degree = np.pi / 180 * EARTH_RADIUS_M
        east, north = (door[0] - last[0]) * np.cos(np.radians(last[1])) * degree, (door[1] - last[1]) * degree
        ahead = np.radians(heading)
        right_m = east * np.cos(ahead) - north * np.sin(ahead)
        if abs(right_m) > _BESIDE_M:
            fr, en = ("à droite", "right") if right_m > 0 else ("à gauche", "left")
            return {"sentence": f"Vous êtes arrivé : c'est {fr}.", "sentence_en": f"You have arrived: it is on the {en}."}
    return {"sentence": "Vous êtes arrivé.", "sentence_en": "You have arrived."}


def _bearing(a: Point, b: Point) -> float:
    return float(np.degrees(np.arctan2((b[0] - a[0]) * np.cos(np.radians(a[1])), b[1] - a[1])))
