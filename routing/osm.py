"""OpenStreetMap data becomes raw roads: every drivable way with its nodes, speeds and directions, and the places people go to.

In: an extract (.osm.pbf, .osm, .osm.gz, .osm.bz2), or a place name. Out: `RawRoads` for `routing.network.build_network`.
Called by the command line and `routing.saved.open_roads`.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import osmium

from routing.access import Access, Tags, barrier_access, directions, way_access
from routing.errors import BadExtract, NoRoads
from routing.speeds import BY_CLASS, FERRY_KMH, duration_s, speed_kmh
from routing.units import EARTH_RADIUS_M

Progress = Callable[[float, str], None]
SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".xml")
CLASSES = (*BY_CLASS, "ferry")
_CLASS_INDEX = {name: k for k, name in enumerate(CLASSES)}

#: Where people are driven to, and where they live: tag key -> values.
PLACE_TAGS: dict[str, frozenset[str]] = {
    "place": frozenset({"city", "town", "village", "hamlet"}),
    "amenity": frozenset({"hospital", "clinic", "doctors", "dentist", "pharmacy", "townhall", "social_facility", "marketplace", "college"}),
    "shop": frozenset({"supermarket"}),
    "railway": frozenset({"station"}),
    "office": frozenset({"employment_agency"}),
}


#: What a turn restriction says for cars, the most specific first; a list of vehicles in `except` frees these.
_RESTRICTION_KEYS = ("restriction:motorcar", "restriction:motor_vehicle", "restriction")
_EXEMPT = {"motorcar", "motor_vehicle"}


@dataclass(frozen=True, slots=True)
class Place:
    """A settlement or a destination: `kind` is its tag's value."""

    kind: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class TurnRule:
    """A turn restriction at a node: from one way one may not (or may only) turn into another."""

    only: bool
    from_way: int
    via_node: int
    to_way: int


class Signal(IntEnum):
    """Which driving direction of its way a traffic light stops."""

    BOTH = 0
    ALONG = 1
    AGAINST = 2


@dataclass(slots=True)
class RawRoads:
    """Ways as they stand in the data. Shapes: W ways, K node references, way w has references pointer[w]:pointer[w + 1]."""

    node: npt.NDArray[np.int64]  # [K] ids
    lon: npt.NDArray[np.float64]  # [K]
    lat: npt.NDArray[np.float64]  # [K]
    pointer: npt.NDArray[np.int64]  # [W + 1]
    way: npt.NDArray[np.int64]  # [W] ids
    kmh_along: npt.NDArray[np.float64]  # [W] 0 where a car may not
    kmh_against: npt.NDArray[np.float64]  # [W]
    end_only: npt.NDArray[np.bool_]  # [W]
    highway: npt.NDArray[np.uint8]  # [W] index in CLASSES
    roundabout: npt.NDArray[np.bool_]  # [W]
    name: npt.NDArray[np.int32]  # [W] index in names
    names: tuple[str, ...]
    closed_nodes: frozenset[int]  # a barrier that no car passes
    gated_nodes: frozenset[int]  # a barrier that only those who begin or end there pass
    places: tuple[Place, ...]
    rules: tuple[TurnRule, ...]
    signals: dict[int, Signal]  # by node
    rules_left_out: dict[str, int]  # turn restrictions that are not obeyed, by the reason
    source: str
    data_date: str
    note: str


@dataclass(slots=True)
class Collector:
    """Gathers ways and places one by one; both sources, pyosmium and osmnx, feed it."""

    node: "array[int]" = field(default_factory=lambda: array("q"))
    lon: "array[float]" = field(default_factory=lambda: array("d"))
    lat: "array[float]" = field(default_factory=lambda: array("d"))
    pointer: "array[int]" = field(default_factory=lambda: array("q", [0]))
    way: "array[int]" = field(default_factory=lambda: array("q"))
    speeds: "array[float]" = field(default_factory=lambda: array("d"))
    flags: "array[int]" = field(default_factory=lambda: array("q"))
    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    closed: set[int] = field(default_factory=set)
    gated: set[int] = field(default_factory=set)
    places: list[Place] = field(default_factory=list)
    rules: list[TurnRule] = field(default_factory=list)
    signals: dict[int, Signal] = field(default_factory=dict)
    rules_left_out: Counter[str] = field(default_factory=Counter)
    note: str = ""

    def add_way(self, way_id: int, tags: Tags, nodes: list[tuple[int, float, float]]) -> None:
        """Take a way if a car may use it."""
        access = way_access(tags)
        along, against = directions(tags)
        if access == Access.NO or not (along or against) or len(nodes) < 2:
            return
        if tags.get("highway") in BY_CLASS:
            highway = tags["highway"]
            kmh = speed_kmh(tags, forward=True), speed_kmh(tags, forward=False)
        else:
            highway = "ferry"
            kmh = (_ferry_kmh(tags, nodes),) * 2
        for node_id, lon, lat in nodes:
            self.node.append(node_id)
            self.lon.append(lon)
            self.lat.append(lat)
        self.pointer.append(len(self.node))
        self.way.append(way_id)
        self.speeds.extend((kmh[0] if along else 0.0, kmh[1] if against else 0.0))
        name = tags.get("name") or tags.get("ref") or ""
        is_round = tags.get("junction") in {"roundabout", "circular"}
        self.flags.extend(
            (int(access == Access.END_ONLY), _CLASS_INDEX[highway], self.names.setdefault(name, len(self.names)), int(is_round))
        )

    def add_node(self, node_id: int, tags: Tags, lon: float, lat: float) -> None:
        """Take a barrier, or a place people go to."""
        if "barrier" in tags:
            access = barrier_access(tags)
            if access == Access.NO:
                self.closed.add(node_id)
            elif access == Access.END_ONLY:
                self.gated.add(node_id)
        if tags.get("highway") == "traffic_signals":
            side = tags.get("traffic_signals:direction") or tags.get("direction")
            self.signals[node_id] = {"forward": Signal.ALONG, "backward": Signal.AGAINST}.get(side or "", Signal.BOTH)
        self.add_place(tags, lon, lat)
        if "note" in tags and "fictif" in tags["note"]:
            self.note = tags["note"]

    def add_place(self, tags: Tags, lon: float, lat: float) -> None:
        """Take a settlement or a destination."""
        for key, kinds in PLACE_TAGS.items():
            kind = tags.get(key)
            if kind in kinds:
                self.places.append(Place(kind, tags.get("name", ""), round(lon, 7), round(lat, 7)))
                return

    def add_restriction(self, tags: Tags, members: Sequence[tuple[str, str, int]]) -> None:
        """Take a turn restriction of (role, kind, id) members; those that cannot be obeyed are counted by reason."""
        said = [tags[key] for key in _RESTRICTION_KEYS if key in tags]
        if not said:
            conditional = any(key.startswith("restriction") and key.endswith(":conditional") for key in tags)
            self.rules_left_out["conditional" if conditional else "for other vehicles"] += 1
        elif _EXEMPT.intersection(tags.get("except", "").replace(" ", "").split(";")):
            self.rules_left_out["cars excepted"] += 1
        elif not said[0].startswith(("no_", "only_")):
            self.rules_left_out["unknown kind"] += 1
        else:
            self._add_rule(said[0].startswith("only_"), members)

    def _add_rule(self, only: bool, members: Sequence[tuple[str, str, int]]) -> None:
        by_role = {role: [(kind, ref) for r, kind, ref in members if r == role] for role in ("from", "via", "to")}
        if any(kind == "w" for kind, _ in by_role["via"]):
            self.rules_left_out["via a way"] += 1
        elif len(by_role["via"]) != 1 or not by_role["from"] or not by_role["to"] or (only and len(by_role["to"]) > 1):
            self.rules_left_out["members missing"] += 1
        else:
            via = by_role["via"][0][1]
            self.rules += [TurnRule(only, f, via, t) for _, f in by_role["from"] for _, t in by_role["to"]]

    def roads(self, source: str, data_date: str) -> RawRoads:
        """Everything gathered, as arrays. NoRoads when there is nothing."""
        if not self.way:
            raise NoRoads(f"{source}: there is no road that a car may use in it.")
        speeds = np.array(self.speeds, np.float64).reshape(-1, 2)
        flags = np.array(self.flags, np.int64).reshape(-1, 4)
        return RawRoads(
            node=np.array(self.node, np.int64),
            lon=np.array(self.lon, np.float64),
            lat=np.array(self.lat, np.float64),
            pointer=np.array(self.pointer, np.int64),
            way=np.array(self.way, np.int64),
            kmh_along=speeds[:, 0].copy(),
            kmh_against=speeds[:, 1].copy(),
            end_only=flags[:, 0].astype(np.bool_),
            highway=flags[:, 1].astype(np.uint8),
            name=flags[:, 2].astype(np.int32),
            roundabout=flags[:, 3].astype(np.bool_),
            names=tuple(self.names),
            closed_nodes=frozenset(self.closed),
            gated_nodes=frozenset(self.gated),
            places=tuple(sorted(self.places, key=lambda p: (p.kind, p.name, p.lon, p.lat))),
            rules=tuple(sorted(self.rules, key=astuple)),
            signals=dict(sorted(self.signals.items())),
            rules_left_out=dict(sorted(self.rules_left_out.items())),
            source=source,
            data_date=data_date,
            note=self.note,
        )


def _ferry_kmh(tags: Tags, nodes: list[tuple[int, float, float]]) -> float:
    """Speed that makes the crossing last its `duration`, from end to end of this way."""
    seconds = duration_s(tags.get("duration", ""))
    lon, lat = np.radians([n[1] for n in nodes]), np.radians([n[2] for n in nodes])
    metres = EARTH_RADIUS_M * np.hypot(np.diff(lon) * np.cos((lat[1:] + lat[:-1]) / 2), np.diff(lat)).sum()
    return max(0.5, float(metres / seconds * 3.6)) if seconds else FERRY_KMH.kmh


def load_extract(path: Path, progress: Progress | None = None) -> RawRoads:
    """Read an OpenStreetMap extract.

    Parameters
    ----------
    path : Path
    progress : callable, optional
        Called with a share between 0 and 1 and a word.

    Returns
    -------
    RawRoads

    Raises
    ------
    BadExtract
        The file is absent, of another kind, damaged or cut short. NoRoads: there is nothing to drive on in it.

    Notes
    -----
    One pass, O(objects in the file); a node index of 16 bytes per node of the file is held meanwhile (osmium's flex_mem).
    """
    _refuse_wrong_files(path)
    collector = Collector()
    seen = 0
    try:
        reader = osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING)
        header = reader.header()
        reader.close()
        for thing in _relevant(path):
            _take(collector, thing)
            seen += 1
            if progress is not None and seen % 5000 == 0:
                progress(1 - 30_000 / (30_000 + seen), "reading")  # the number of objects is not known beforehand
    except (RuntimeError, ValueError, OSError) as error:
        raise BadExtract(f"{path.name}: the file is damaged, cut short or not OpenStreetMap data.") from error
    date = header.get("osmosis_replication_timestamp") or header.get("timestamp") or ""
    return collector.roads(path.name, date)


def _refuse_wrong_files(path: Path) -> None:
    if not path.exists():
        raise BadExtract(f"{path.name}: there is no such file.")
    if not path.is_file():
        raise BadExtract(f"{path.name}: this is a folder, not an extract.")
    if not path.name.lower().endswith(SUFFIXES):
        raise BadExtract(f"{path.name}: an extract ends in .osm.pbf, .osm, .osm.gz or .osm.bz2.")
    if path.stat().st_size == 0:
        raise BadExtract(f"{path.name}: the file is empty.")


def _relevant(path: Path) -> Any:
    keys = ("highway", "route", "barrier", "type", *PLACE_TAGS)
    return osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.KeyFilter(*keys))


def _take(collector: Collector, thing: Any) -> None:
    if thing.is_node():
        if thing.location.valid():
            collector.add_node(thing.id, dict(thing.tags), thing.lon, thing.lat)
    elif thing.is_way():
        tags = dict(thing.tags)
        nodes = [(n.ref, n.lon, n.lat) for n in thing.nodes if n.location.valid()]  # an extract's edge cuts ways
        if tags.get("highway") in BY_CLASS or tags.get("route") == "ferry":
            collector.add_way(thing.id, tags, nodes)
        elif nodes:
            collector.add_place(tags, sum(n[1] for n in nodes) / len(nodes), sum(n[2] for n in nodes) / len(nodes))
    elif thing.is_relation() and thing.tags.get("type", "").startswith("restriction"):
        collector.add_restriction(dict(thing.tags), [(m.role, m.type, m.ref) for m in thing.members])
