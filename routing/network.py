"""The road network: frozen integer arrays, largest strongly connected part, chains folded, geometry kept.

In: `RawRoads`. Out: `RoadNetwork`, which snapping, matrices and (later) routes read. Saved and reopened by `routing.saved`.

A *segment* joins two neighbouring nodes of the data. Segments that can only be driven through one after the other are folded into
one *edge*: a searched graph five times smaller, with the same times. An edge is stored once with a duration for each direction.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numba import njit
from scipy.sparse import csgraph

from routing.errors import BadExtract, NoRoads
from routing.osm import CLASSES, Place, Progress, RawRoads, Signal
from routing.turns import SIGNAL_S, banned_turns
from routing.units import EARTH_RADIUS_M

Array = npt.NDArray[Any]
NO_WAY = -1  # duration of a direction that a car may not drive
FORMAT = 3
_LONGEST_MS = 2**29  # six days for one edge: more is an error of the data
_MOST_ROADS = 64  # that meet in one node; real junctions have a dozen at most
_MOTORWAY = [CLASSES.index(name) for name in ("motorway", "motorway_link", "trunk", "trunk_link", "ferry")]


#: Type and axis of every array of a network: N nodes, E edges, G geometry points, W ways; K2: pairs.
LAYOUT: dict[str, tuple[str, str]] = {
    "node_lon": ("<f8", "N"), "node_lat": ("<f8", "N"), "edge_from": ("<i4", "E"), "edge_to": ("<i4", "E"), "ms_along": ("<i4", "E"),
    "ms_against": ("<i4", "E"), "metres": ("<i4", "E"), "end_only": ("|b1", "E"), "pointer": ("<i8", "E+1"), "lon": ("<f8", "G"),
    "lat": ("<f8", "G"), "time_share": ("<f4", "G"), "length_share": ("<f4", "G"), "way": ("<i4", "G"), "way_id": ("<i8", "W"),
    "way_class": ("|u1", "W"), "way_round": ("|b1", "W"), "way_name": ("<i4", "W"), "banned": ("<i4", "K2"),
}  # fmt: skip


@dataclass(frozen=True)
class RoadNetwork:
    """A drivable network. Shapes: N nodes, E edges, G geometry points; edge e has points pointer[e]:pointer[e + 1].

    Every node reaches every other. Edges that are `end_only` (private, or behind something private) may be used only at the two
    ends of a journey; all others are connected among themselves.
    """

    node_lon: Array  # [N] float64
    node_lat: Array  # [N]
    edge_from: Array  # [E] int32
    edge_to: Array  # [E]
    ms_along: Array  # [E] int32 milliseconds from edge_from to edge_to, or NO_WAY
    ms_against: Array  # [E]
    metres: Array  # [E] int32
    end_only: Array  # [E] bool
    pointer: Array  # [E + 1] int64
    lon: Array  # [G] float64
    lat: Array  # [G]
    time_share: Array  # [G] float32 of the edge's duration, 0 at its start and 1 at its end
    length_share: Array  # [G] float32
    way: Array  # [G] int32 index of the way of the piece that starts here
    way_id: Array  # [W] int64
    way_class: Array  # [W] uint8 index in routing.osm.CLASSES
    way_round: Array  # [W] bool a roundabout
    way_name: Array  # [W] int32 index in names
    banned: Array  # [K, 2] int32 no turn from the first arc into the second; arc 2e is edge e along, 2e + 1 against
    names: tuple[str, ...]
    places: tuple[Place, ...]
    source: str
    data_date: str
    note: str
    rules_left_out: dict[str, int]  # turn restrictions of the data that are not obeyed, by the reason
    dropped_share: float  # of the drivable length, outside the largest strongly connected part
    slowness: dict[str, float]  # by class, how many times longer than the table says a calibration found it; empty without one

    def __post_init__(self) -> None:
        for name in LAYOUT:
            getattr(self, name).flags.writeable = False  # as when opened from a file: one kind of array, compiled for once

    @cached_property
    def version(self) -> str:
        """A name for exactly these roads: changes with any of them. O(E + G) once."""
        digest = hashlib.blake2b(digest_size=12)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                digest.update(np.ascontiguousarray(value).tobytes())
        return f"{FORMAT}-{digest.hexdigest()}"

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return float(self.lon.min()), float(self.lat.min()), float(self.lon.max()), float(self.lat.max())

    def km_by_class(self) -> dict[str, float]:
        """Length of road per highway class, both directions counted once."""
        pieces = np.diff(self.length_share, append=0.0) * np.repeat(self.metres, np.diff(self.pointer))
        inside = np.ones(len(self.lon), np.bool_)
        inside[self.pointer[1:] - 1] = False
        metres = np.bincount(self.way_class[self.way[inside]], weights=pieces[inside], minlength=len(CLASSES))
        return {name: float(m) / 1000 for name, m in zip(CLASSES, metres, strict=True) if m > 0}

    def sample_points(self, rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
        """n points (lon, lat) spread evenly over the length of public roads, motorways and ferries left out."""
        kind = self.way_class[self.way[self.pointer[:-1]]]
        weight = np.where(self.end_only | np.isin(kind, _MOTORWAY), 0, self.metres).astype(np.float64)
        if weight.sum() == 0:
            weight = self.metres.astype(np.float64)
        edges = rng.choice(len(weight), size=n, p=weight / weight.sum())
        shares = rng.random(n)
        points = np.empty((n, 2))
        for k, (edge, share) in enumerate(zip(edges, shares, strict=True)):
            part = slice(self.pointer[edge], self.pointer[edge + 1])
            points[k] = (
                np.interp(share, self.length_share[part], self.lon[part]),
                np.interp(share, self.length_share[part], self.lat[part]),
            )
        return points


@dataclass(slots=True)
class _Segments:
    """Drivable pieces between neighbouring nodes. Shapes: M segments."""

    a: Array  # [M] node index
    b: Array
    along: Array  # [M] int64 ms or NO_WAY
    against: Array
    metres: Array  # [M] float64
    end_only: Array
    way: Array  # [M] way index

    def keep(self, mask: Array) -> "_Segments":
        return _Segments(*(getattr(self, item.name)[mask] for item in fields(self)))


def build_network(raw: RawRoads, progress: Progress | None = None) -> RoadNetwork:
    """Make the network of raw roads.

    Parameters
    ----------
    raw : RawRoads
    progress : callable, optional

    Returns
    -------
    RoadNetwork
        O(K log K) for K node references.

    Raises
    ------
    NoRoads
        Nothing is left, for instance when every way is an island of its own.
    BadExtract
        More roads meet in one place than in any real one: the turns there would be their square.

    Notes
    -----
    A segment's duration is its great-circle length over its speed, rounded to the millisecond and at least 1, and SIGNAL_S for a
    traffic light it arrives at; an edge's duration is the sum, so folding changes no time. An edge's length is the sum of its
    segments', rounded to the metre.
    """
    tell = progress or (lambda _done, _what: None)
    tell(0.1, "segments")
    lon, lat, node_id, segments = _make_segments(raw)
    tell(0.3, "connected part")
    total = segments.metres.sum()
    segments = _connected(segments, len(lon))
    if len(segments.a) == 0:
        raise NoRoads(f"{raw.source}: no two of its roads are connected.")
    tell(0.5, "folding")
    arrays, kept = _fold(segments, lon, lat)
    first, last = arrays["pointer"][:-1], arrays["pointer"][1:] - 1
    banned, left_out = banned_turns(
        raw.rules,
        node_id[kept],
        raw.way,
        (arrays["edge_from"], arrays["edge_to"]),
        (arrays["way"][first], arrays["way"][last]),
        (arrays["ms_along"] != NO_WAY, arrays["ms_against"] != NO_WAY),
    )
    tell(1.0, "done")
    return RoadNetwork(
        **arrays,
        way_id=raw.way,
        way_class=raw.highway,
        way_round=raw.roundabout,
        way_name=raw.name,
        names=raw.names,
        places=raw.places,
        source=raw.source,
        data_date=raw.data_date,
        note=raw.note,
        banned=banned,
        rules_left_out=dict(sorted((left_out + Counter(raw.rules_left_out)).items())),
        dropped_share=float(1 - segments.metres.sum() / total),
        slowness={},
    )


def _make_segments(raw: RawRoads) -> tuple[Array, Array, Array, _Segments]:
    """Node coordinates, their ids in the data, and segments. A closed node becomes one of its own in every way there: nobody passes."""
    closed = np.isin(raw.node, list(raw.closed_nodes))
    identity = np.where(closed, -1 - np.arange(len(raw.node)), raw.node)
    _, first, index = np.unique(identity, return_index=True, return_inverse=True)
    lon, lat, node_id = raw.lon[first], raw.lat[first], raw.node[first]
    starts = np.ones(len(raw.node), np.bool_)
    starts[raw.pointer[1:] - 1] = False
    # a closed node inside a way ends one piece and begins another: the piece after it starts at a second copy
    k = np.nonzero(starts)[0]
    way = np.repeat(np.arange(len(raw.way)), np.diff(raw.pointer))[k]
    a, b = index[k], index[k + 1]
    inner = closed[k] & ~np.isin(k, raw.pointer[:-1])
    a = a.copy()
    a[inner] = len(lon) + np.arange(inner.sum())
    lon, lat = np.concatenate([lon, raw.lon[k[inner]]]), np.concatenate([lat, raw.lat[k[inner]]])
    node_id = np.concatenate([node_id, raw.node[k[inner]]])
    metres = _distance_m(raw.lon[k], raw.lat[k], raw.lon[k + 1], raw.lat[k + 1])
    gated = np.isin(raw.node, list(raw.gated_nodes))
    segments = _Segments(
        a=a,
        b=b,
        along=_duration_ms(metres, raw.kmh_along[way], _waits_ms(raw, raw.node[k + 1], Signal.ALONG)),
        against=_duration_ms(metres, raw.kmh_against[way], _waits_ms(raw, raw.node[k], Signal.AGAINST)),
        metres=metres,
        end_only=raw.end_only[way] | gated[k] | gated[k + 1],
        way=way,
    )
    segments = segments.keep(segments.a != segments.b)
    _, once = np.unique(np.stack([segments.way, segments.a, segments.b]), axis=1, return_index=True)  # a way that goes over itself
    segments = segments.keep(np.sort(once))
    if np.bincount(np.concatenate([segments.a, segments.b]), minlength=1).max(initial=0) > _MOST_ROADS:
        raise BadExtract(f"{raw.source}: more than {_MOST_ROADS} roads meet in one place of it; that is no map of roads.")
    return lon, lat, node_id, segments


def _duration_ms(metres: Array, kmh: Array, waits_ms: Array) -> Array:
    ms = np.rint(metres * 3600 / np.maximum(kmh, 1e-9))
    return np.where(kmh > 0, np.maximum(1, np.minimum(ms, _LONGEST_MS)) + waits_ms, NO_WAY).astype(np.int64)


def _waits_ms(raw: RawRoads, arrived_at: Array, direction: Signal) -> Array:
    """A traffic light costs whoever arrives at it in the direction it stops."""
    lights = [node for node, side in raw.signals.items() if side in (Signal.BOTH, direction)]
    return np.where(np.isin(arrived_at, np.array(lights, np.int64)), int(1000 * SIGNAL_S), 0)


def _distance_m(lon_a: Array, lat_a: Array, lon_b: Array, lat_b: Array) -> Array:
    """Great-circle distance, haversine. Metres."""
    a_lon, a_lat, b_lon, b_lat = (np.radians(x) for x in (lon_a, lat_a, lon_b, lat_b))
    h = np.sin((b_lat - a_lat) / 2) ** 2 + np.cos(a_lat) * np.cos(b_lat) * np.sin((b_lon - a_lon) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)))


def _connected(segments: _Segments, nodes: int) -> _Segments:
    """The largest strongly connected part; what lies outside its public core becomes end_only, so that every node stays reachable."""
    part = _largest_component(segments, nodes)
    segments = segments.keep(part[segments.a] & part[segments.b])
    core = _largest_component(segments.keep(~segments.end_only), nodes)
    segments.end_only = segments.end_only | ~(core[segments.a] & core[segments.b])
    return segments


def _largest_component(segments: _Segments, nodes: int) -> Array:
    """Mask of the nodes of the largest strongly connected component, by length of road."""
    if len(segments.a) == 0:
        return np.zeros(nodes, np.bool_)
    along, against = segments.along != NO_WAY, segments.against != NO_WAY
    source = np.concatenate([segments.a[along], segments.b[against]])
    target = np.concatenate([segments.b[along], segments.a[against]])
    graph = sp.csr_array((np.ones(len(source), np.int8), (source, target)), shape=(nodes, nodes))
    _, label = csgraph.connected_components(graph, directed=True, connection="strong")
    inside = label[segments.a] == label[segments.b]
    weight = np.bincount(label[segments.a[inside]], weights=segments.metres[inside], minlength=int(label.max()) + 1)
    return np.asarray(label == weight.argmax())


def _fold(segments: _Segments, lon: Array, lat: Array) -> tuple[dict[str, Array], Array]:
    """Join segments through nodes where nothing is decided; arrays of RoadNetwork, and which of the nodes are left."""
    m = len(segments.a)
    ends = np.concatenate([segments.a, segments.b])
    order = np.argsort(ends, kind="stable")
    used, starts = np.unique(ends[order], return_index=True)
    incidence = np.append(starts, 2 * m).astype(np.int64)  # half-segments of the k-th used node
    rank = np.full(len(lon), -1, np.int64)
    rank[used] = np.arange(len(used))
    chain, pointer = fold_chains(
        rank[segments.a], rank[segments.b], segments.along, segments.against, segments.end_only, incidence, order.astype(np.int64)
    )
    segment, flipped = chain >> 1, (chain & 1).astype(np.bool_)
    along = np.where(flipped, segments.against[segment], segments.along[segment])
    against = np.where(flipped, segments.along[segment], segments.against[segment])
    head = np.where(flipped, segments.b[segment], segments.a[segment])
    tail = np.where(flipped, segments.a[segment], segments.b[segment])
    first, last = pointer[:-1], pointer[1:] - 1
    sums = {
        "ms_along": np.where(along[first] == NO_WAY, NO_WAY, np.minimum(_LONGEST_MS, np.add.reduceat(along, first))),
        "ms_against": np.where(against[first] == NO_WAY, NO_WAY, np.minimum(_LONGEST_MS, np.add.reduceat(against, first))),
    }
    length = np.add.reduceat(segments.metres[segment], first)
    drive = np.where(along == NO_WAY, against, along).astype(np.float64)
    keepers, ends_index = np.unique(np.concatenate([head[first], tail[last]]), return_inverse=True)
    edges = len(first)
    place = np.arange(len(chain)) + np.repeat(np.arange(edges), np.diff(pointer))  # one more point than segments per edge
    points = np.empty(len(chain) + edges, np.int64)
    points[place], points[last + np.arange(1, edges + 1)] = head, tail[last]
    way = np.empty(len(points), np.int32)
    way[place], way[last + np.arange(1, edges + 1)] = segments.way[segment], segments.way[segment[last]]
    arrays = {
        "node_lon": lon[keepers],
        "node_lat": lat[keepers],
        "edge_from": ends_index[:edges].astype(np.int32),
        "edge_to": ends_index[edges:].astype(np.int32),
        "ms_along": sums["ms_along"].astype(np.int32),
        "ms_against": sums["ms_against"].astype(np.int32),
        "metres": np.maximum(1, np.rint(length)).astype(np.int32),
        "end_only": segments.end_only[segment[first]],
        "pointer": (pointer + np.arange(edges + 1)).astype(np.int64),
        "lon": lon[points],
        "lat": lat[points],
        "time_share": _shares(drive, pointer),
        "length_share": _shares(segments.metres[segment], pointer),
        "way": way,
    }
    return arrays, keepers


def _shares(weight: Array, pointer: Array) -> Array:
    """Running share of each edge's total at each of its points: 0, ..., 1."""
    edges = len(pointer) - 1
    running = np.concatenate([[0.0], np.cumsum(weight)])
    total = running[pointer[1:]] - running[pointer[:-1]]
    edge = np.repeat(np.arange(edges), np.diff(pointer) + 1)
    at = np.arange(len(weight) + edges) - edge
    shares = (running[at] - running[pointer[edge]]) / np.maximum(total[edge], 1e-12)
    shares[pointer[1:] + np.arange(edges)] = 1.0  # also where two nodes lie in one place
    return np.asarray(shares, np.float32)


@njit(cache=True)
def fold_chains(a: Array, b: Array, along: Array, against: Array, end_only: Array, incidence: Array, halves: Array) -> tuple[Array, Array]:
    """Chains of segments as 2 * segment + flipped, one after the other, and where each begins. O(M).

    A node is passed through when exactly two different segments meet there, both open to the same directions and both end_only or not.
    """
    m = len(a)
    nodes = len(incidence) - 1
    through = np.zeros(nodes, np.bool_)
    for node in range(nodes):
        if incidence[node + 1] - incidence[node] == 2:
            x, y = halves[incidence[node]], halves[incidence[node] + 1]
            s, t = x % m, y % m
            if s != t and end_only[s] == end_only[t]:
                into = along[s] >= 0 if x >= m else against[s] >= 0  # drives s towards the node
                out_of = against[s] >= 0 if x >= m else along[s] >= 0
                onward = along[t] >= 0 if y < m else against[t] >= 0
                back = against[t] >= 0 if y < m else along[t] >= 0
                through[node] = into == onward and out_of == back
    chain = np.empty(m, np.int64)
    pointer = np.empty(m + 1, np.int64)
    used = np.zeros(m, np.bool_)
    n = edges = 0
    pointer[0] = 0
    for ring in range(2):  # what the first round leaves are rings without any junction: they start anywhere
        for first in range(2 * m):
            s = first % m
            flipped = first >= m
            start = b[s] if flipped else a[s]
            if used[s] or (through[start] and ring == 0):
                continue
            while True:
                used[s] = True
                chain[n] = 2 * s + int(flipped)
                n += 1
                end = a[s] if flipped else b[s]
                if not through[end] or end == start:
                    break
                x = halves[incidence[end]]
                if x % m == s:
                    x = halves[incidence[end] + 1]
                s = x % m
                flipped = x >= m
                if used[s]:
                    break
            edges += 1
            pointer[edges] = n
    return chain[:n], pointer[: edges + 1]
