"""Roads of a named place, fetched through osmnx by those who have an internet connection.

In: a name such as "Andorra". Out: the same `RawRoads` as from an extract, by the same rules. Called by `allons roads place`.
"""

from collections.abc import Iterable
from typing import Any

import networkx as nx
import osmnx as ox

from routing.errors import PlaceNotFound
from routing.osm import Collector, Progress, RawRoads

#: Tags of ways and nodes that the rules of routing.access and routing.speeds read.
WAY_TAGS = (
    "access", "area", "duration", "highway", "junction", "maxspeed", "maxspeed:backward", "maxspeed:forward",
    "maxspeed:type", "motor_vehicle", "motorcar", "name", "oneway", "oneway:motor_vehicle", "oneway:motorcar",
    "oneway:vehicle", "ref", "route", "service", "source:maxspeed", "surface", "tracktype", "vehicle", "zone:maxspeed",
)  # fmt: skip
NODE_TAGS = ("access", "amenity", "barrier", "bollard", "motor_vehicle", "motorcar", "name", "place", "railway", "shop", "vehicle")


#: osmnx turns the nodes of such ways round and leaves their tag as it was: turned back, the tag means what it says.
_TURNED = ("-1", "reverse", "T")


def load_place(name: str, progress: Progress | None = None) -> RawRoads:
    """Fetch the roads of a place by its name.

    Raises
    ------
    PlaceNotFound
        Unknown name, no connection, or an answer that cannot be used. NoRoads: nothing to drive on there.
    """
    tell = progress or (lambda _done, _what: None)
    tell(0.05, "fetching")
    keep_tags()
    try:
        graph = ox.graph_from_place(name, network_type="all", simplify=False, retain_all=True)
    except Exception as error:  # osmnx passes on whatever its HTTP client and its parser raise
        raise PlaceNotFound(f"The place could not be fetched: {type(error).__name__}.") from error
    tell(0.8, "reading")
    return from_osmnx(graph, name)


def keep_tags() -> None:
    """Tell osmnx which tags to keep, and that `oneway` is for our rules to read."""
    ox.settings.useful_tags_way = sorted({*ox.settings.useful_tags_way, *WAY_TAGS})
    ox.settings.useful_tags_node = sorted({*ox.settings.useful_tags_node, *NODE_TAGS})
    ox.settings.all_oneway = True  # every way once, in the order of its nodes, with its own oneway tag


def from_osmnx(graph: "nx.MultiDiGraph[int]", source: str) -> RawRoads:
    """Turn an unsimplified osmnx graph, read with `keep_tags`, into raw roads: each of its edges is a way of two nodes."""
    collector = Collector()
    for node, values in graph.nodes(data=True):
        collector.add_node(int(node), _texts(values.items()), float(values["x"]), float(values["y"]))
    for a, b, values in graph.edges(data=True):
        ends = [(int(n), float(graph.nodes[n]["x"]), float(graph.nodes[n]["y"])) for n in (a, b)]
        if values.get("oneway") in _TURNED:
            ends.reverse()
        tags = _texts((key, value) for key, value in values.items() if key in WAY_TAGS)
        collector.add_way(int(values["osmid"]), tags, ends)
    return collector.roads(source, str(graph.graph.get("created_date", "")))


def _texts(items: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """OpenStreetMap's tags are texts; osmnx turns some into truth values."""
    return {key: ("yes" if value else "no") if isinstance(value, bool) else str(value) for key, value in items}
