"""From an extract to roads that can be searched: ours and osmnx, on the same roads written as XML, each in a process of its own.

Question: how long does a new territory take? Cost model: both are linear in the file; osmnx builds a Python object per node and edge. Ours:
read, largest connected part, fold; once more with the contraction. osmnx: `graph_from_xml`, simplify, largest strongly connected part,
speeds and travel times.
Control: our reading of the .pbf the XML was made from. Curve expected: a constant ratio.

    python -m benchmarks.load --roads porto-2015.osm.pbf [--rounds 3] [--json OUT]
"""

import argparse
import json
import multiprocessing as mp
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import osmium


def allons(path: Path) -> int:
    """Ours: a graph that can be searched, as far as osmnx gets."""
    from routing.network import build_network
    from routing.osm import load_extract

    return len(build_network(load_extract(path)).metres)


def allons_contracted(path: Path) -> int:
    """Ours with its hierarchy, ready for matrices."""
    from routing.hierarchy import build_hierarchy
    from routing.network import build_network
    from routing.osm import load_extract

    network = build_network(load_extract(path))
    build_hierarchy(network)
    return len(network.metres)


def osmnx(path: Path) -> int:
    """osmnx' documented way to a routable graph."""
    import osmnx as ox

    graph = ox.truncate.largest_component(ox.simplify_graph(ox.graph_from_xml(path, simplify=False, retain_all=True)), strongly=True)
    graph = ox.add_edge_travel_times(ox.add_edge_speeds(graph))
    return int(graph.number_of_edges())


def roads_as_xml(extract: Path, target: Path) -> None:
    """The drivable ways of an extract with their nodes and turn restrictions: what both readers would keep."""
    wanted: set[int] = set()
    for way in osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway")):
        wanted.update(node.ref for node in way.nodes)
    with osmium.SimpleWriter(str(target), overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(extract)):
            node = thing.is_node() and thing.id in wanted
            if node or (thing.is_way() and "highway" in thing.tags) or (thing.is_relation() and thing.tags.get("type") == "restriction"):
                writer.add(thing)


def _run(read: Callable[[Path], int], path: Path, out: Any) -> None:
    began = time.process_time()
    edges = read(path)
    out.put((time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, edges))


def main() -> None:
    """In turn, a fresh process each time; kernels warmed beforehand."""
    from routing.warm import warm

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roads", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warm()
    context = mp.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "roads.osm"
        roads_as_xml(args.roads, xml)
        asked = {
            "allons, xml": (allons, xml),
            "allons with hierarchy, xml": (allons_contracted, xml),
            "osmnx, xml": (osmnx, xml),
            "allons, pbf": (allons, args.roads),
        }
        spent: dict[str, list[tuple[float, int, int]]] = {name: [] for name in asked}
        for _ in range(args.rounds):
            for name, (read, path) in asked.items():
                queue = context.Queue()
                child = context.Process(target=_run, args=(read, path, queue))
                child.start()
                spent[name].append(queue.get())
                child.join()
    rows: dict[str, dict[str, Any]] = {
        name: {"cpu": round(median(run[0] for run in runs), 2), "peak_mb": runs[-1][1], "edges": runs[-1][2]}
        for name, runs in spent.items()
    }
    for name, row in rows.items():
        print(f"| {name} | {row['cpu']} s | {row['peak_mb']} MB | {row['edges']} edges |")
    ratio = round(rows["osmnx, xml"]["cpu"] / rows["allons, xml"]["cpu"], 1)
    print(f"osmnx / allons: {ratio}")
    names = {"python": platform.python_version(), "cores": os.cpu_count(), **{name: version(name) for name in ("osmium", "osmnx", "numba")}}
    if args.json:
        args.json.write_text(json.dumps({"rows": rows, "ratio": ratio, "versions": names}, indent=1) + "\n")


if __name__ == "__main__":
    main()
