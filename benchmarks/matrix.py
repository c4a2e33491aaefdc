"""Our road matrix and other engines': the same extract, the same coordinates, in one process, in turn.

Question: what does a square table of k coordinates cost? Ours: coordinates in, int32 milliseconds out, snapping, turn restrictions and turn
costs included. OSRM: its contraction hierarchy through its own binding (`Table`, durations only; its own car profile, which has turn costs
and restrictions too). pandana: `shortest_path_lengths` of all pairs, nodes only. scipy: Dijkstra from each origin on our expanded graph.
networkx: the same in Python. Cost model: k climbs and k^2 meetings for hierarchies, k searches of the whole graph for the others. Curve
expected: ratios to OSRM fall slowly with k, to scipy and pandana they rise. Control: 50 points. Median of rounds; peers that would take
too long for a size are left out there. Preprocessing and reading: CPU of a process of its own, children included.

    scripts/bench matrix --roads porto-2015.osm.pbf --sizes 200,2000 --peers osrm,pandana,scipy [--rounds 5] [--json OUT]
"""

import argparse
import importlib.util
import json
import multiprocessing as mp
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from routing.hierarchy import METRE_BITS, arc_weights, build_hierarchy, keep_hierarchy
from routing.matrix import travel_times
from routing.network import RoadNetwork, build_network
from routing.osm import load_extract
from routing.saved import load_network, save_network
from routing.snap import snap
from routing.turns import make_turn_graph
from routing.warm import warm

Solve = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]
#: The largest table a peer is asked for: beyond it a round would take minutes.
LARGEST = {"osrm": 4000, "pandana": 1000, "scipy": 500, "networkx": 50}


def ours(network: RoadNetwork) -> Solve:
    """Seconds from `travel_times`."""

    def solve(lonlat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        places = snap(network, lonlat)
        return travel_times(network, places, places).ms

    return solve


def osrm_peer(extract: Path, folder: Path, costs: dict[str, Any]) -> Solve:
    """OSRM prepared by its own programs, which lie inside its package."""
    import osrm

    package = Path(osrm.__file__).parent
    programs = {name: next(iter(sorted(package.rglob(name)))) for name in ("osrm-extract", "osrm-contract")}
    profile = next(path for path in sorted(package.rglob("car.lua")))
    base = folder / extract.name.replace(".osm.pbf", ".osrm")
    (folder / extract.name).symlink_to(extract.resolve())
    for program in programs.values():
        program.chmod(program.stat().st_mode | 0o100)
    costs["osrm extract cpu"] = _child_cpu([programs["osrm-extract"], "-p", profile, folder / extract.name, "-t", "1"])
    costs["osrm contract cpu"] = _child_cpu([programs["osrm-contract"], base, "-t", "1"])
    engine = osrm.OSRM(storage_config=str(base), use_shared_memory=False, algorithm="CH", max_locations_distance_table=-1)

    def solve(lonlat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        points = [(float(lon), float(lat)) for lon, lat in lonlat]
        table = engine.Table(osrm.TableParameters(coordinates=points, annotations=["duration"], generate_hints=False))
        solve.last = table  # type: ignore[attr-defined] # turning it into an array is left out of OSRM's time
        return np.zeros(0)

    return solve


def pandana_peer(network: RoadNetwork, costs: dict[str, Any]) -> Solve:
    """pandana's contraction hierarchies on our nodes and edges: no turns, no points along an edge."""
    import pandana
    import pandas as pd

    began = time.process_time()
    nodes = pd.DataFrame({"x": network.node_lon, "y": network.node_lat})
    one, other = network.ms_along >= 0, network.ms_against >= 0
    a = np.concatenate([network.edge_from[one], network.edge_to[other]])
    b = np.concatenate([network.edge_to[one], network.edge_from[other]])
    seconds = np.concatenate([network.ms_along[one], network.ms_against[other]]) / 1000
    net = pandana.Network(nodes.x, nodes.y, pd.Series(a), pd.Series(b), pd.DataFrame({"s": seconds}), twoway=False)
    costs["pandana prepare cpu"] = time.process_time() - began

    def solve(lonlat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        ids = net.get_node_ids(lonlat[:, 0], lonlat[:, 1]).to_numpy()
        k = len(ids)
        found = net.shortest_path_lengths(np.repeat(ids, k), np.tile(ids, k), imp_name="s")
        return np.asarray(found).reshape(k, k)

    return solve


def scipy_peer(network: RoadNetwork) -> Solve:
    """scipy's Dijkstra from one arc per origin, on our expanded graph."""
    import scipy.sparse as sp
    from scipy.sparse import csgraph

    graph = make_turn_graph(network)
    weight = graph.turn_ms + (arc_weights(network) >> METRE_BITS)[graph.arc[graph.target]]
    matrix = sp.csr_array((weight.astype(np.float64), graph.target, graph.pointer), shape=(len(graph.arc),) * 2)

    def solve(lonlat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        vertices = graph.start_vertex[2 * snap(network, lonlat).edge]
        vertices = np.where(vertices < 0, 0, vertices)
        return np.asarray(csgraph.dijkstra(matrix, indices=vertices)[:, vertices])

    return solve


def networkx_peer(network: RoadNetwork) -> Solve:
    """networkx' Dijkstra between nodes, no turns."""
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    columns = (network.edge_from, network.edge_to, network.ms_along, network.ms_against)
    for a, b, along, against in zip(*(column.tolist() for column in columns), strict=True):
        graph.add_weighted_edges_from([(a, b, along)] * (along >= 0) + [(b, a, against)] * (against >= 0))

    def solve(lonlat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        nodes = network.edge_from[snap(network, lonlat).edge].tolist()
        far = [nx.single_source_dijkstra_path_length(graph, node) for node in nodes]
        return np.array([[row[node] for node in nodes] for row in far])

    return solve


def _child_cpu(command: list[Any]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)


def _points(network: RoadNetwork, k: int, clustered: bool) -> np.ndarray[Any, Any]:
    """Spread over the roads, or half of them within 200 m of eight places."""
    rng = np.random.default_rng(k)
    points = network.sample_points(rng, k)
    if clustered:
        towns = network.sample_points(rng, 8)
        points[: k // 2] = towns[rng.integers(0, 8, k // 2)] + rng.normal(0, 1e-3, (k // 2, 2))
    return points


def main() -> None:
    """Prepare everybody, then measure in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roads", type=Path, required=True)
    parser.add_argument("--sizes", default="50,200,500,1000,2000")
    parser.add_argument("--peers", default="osrm,pandana,scipy,networkx")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clustered", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warm()  # compiled beforehand: what is measured is work, not the compiler
    costs: dict[str, Any] = {}
    network, solvers = _prepare(args, costs)
    rows = [_measure(int(size), network, solvers, args) for size in args.sizes.split(",")]
    _add_memory(network, rows, args.clustered)
    names = ("numba", "numpy", "scipy", "networkx", "osrm-bindings", "pandana")
    result = {
        "roads": args.roads.name,
        "clustered": args.clustered,
        "costs": costs,
        "rows": rows,
        "ratio": {peer: {row["k"]: row["ratio"][peer] for row in rows if peer in row["ratio"]} for peer in solvers if peer != "allons"},
        "versions": {"python": platform.python_version(), "cores": os.cpu_count(), **{name: _version(name) for name in names}},
    }
    _print(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


def _prepare(args: argparse.Namespace, costs: dict[str, Any]) -> tuple[RoadNetwork, dict[str, Solve]]:
    began = time.process_time()
    network = build_network(load_extract(args.roads))
    costs["allons read and fold cpu"] = round(time.process_time() - began, 2)
    began = time.process_time()
    keep_hierarchy(network, build_hierarchy(network))
    costs["allons contract cpu"] = round(time.process_time() - began, 2)
    solvers = {"allons": ours(network)}
    folder = Path(tempfile.mkdtemp(prefix="allons-bench-"))
    made: dict[str, Callable[[], Solve]] = {
        "osrm": lambda: osrm_peer(args.roads, folder, costs),
        "pandana": lambda: pandana_peer(network, costs),
        "scipy": lambda: scipy_peer(network),
        "networkx": lambda: networkx_peer(network),
    }
    for peer in filter(None, args.peers.split(",")):
        if importlib.util.find_spec(peer) is None:
            print(f"left out, not installed here: {peer}", file=sys.stderr)
        else:
            solvers[peer] = made[peer]()
    return network, solvers


def _measure(k: int, network: RoadNetwork, solvers: dict[str, Solve], args: argparse.Namespace) -> dict[str, Any]:
    """Medians of CPU and wall seconds per solver, in rounds that take turns."""
    points = _points(network, k, args.clustered)
    asked = {name: solve for name, solve in solvers.items() if k <= LARGEST.get(name, k)}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for turn in range(args.rounds + 1):
        for name, solve in asked.items():
            wall, cpu = time.perf_counter(), time.process_time()
            solve(points)
            if turn > 0:  # the first round warms caches
                spent[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    medians = {name: np.median(np.array(rounds), axis=0) for name, rounds in spent.items()}
    return {
        "k": k,
        "cpu": {name: round(float(median[0]), 5) for name, median in medians.items()},
        "wall": {name: round(float(median[1]), 5) for name, median in medians.items()},
        "ratio": {name: round(float(median[0] / medians["allons"][0]), 2) for name, median in medians.items() if name != "allons"},
    }


def _add_memory(network: RoadNetwork, rows: list[dict[str, Any]], clustered: bool) -> None:
    """What a query of times and metres takes on top of the opened network, at its highest, in a process of its own; and what it returns."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "bench.roads"
        save_network(network, saved)
        for row in rows:
            with mp.get_context("spawn").Pool(1) as pool:
                row["peak_mb"] = pool.apply(_peak_mb, (saved, row["k"], clustered))
            row["returned_mb"] = round(row["k"] ** 2 * 8 / 1e6, 1)


def _peak_mb(saved: Path, k: int, clustered: bool) -> float:
    network = load_network(saved)
    points = _points(network, k, clustered)
    small = snap(network, points[:2])
    travel_times(network, small, small, metres=True)  # kernels and the mapped file are there now
    places = snap(network, points)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest mark begins anew
    before = _status_mb("VmRSS")
    travel_times(network, places, places, metres=True)
    return round(_status_mb("VmHWM") - before, 1)


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1000


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _print(result: dict[str, Any]) -> None:
    for name, cpu in result["costs"].items():
        print(f"{name}: {cpu:.2f} s")
    print("| k | " + " | ".join(f"{name} cpu s" for name in result["rows"][0]["cpu"]) + " | ratios |")
    for row in result["rows"]:
        print(f"| {row['k']} | " + " | ".join(f"{cpu:.4f}" for cpu in row["cpu"].values()) + f" | {row['ratio']} |")
    for row in result["rows"]:
        print(f"{row['k']} x {row['k']}: {row['peak_mb']} MB at its highest, {row['returned_mb']} MB returned")
    print(result["versions"])


if __name__ == "__main__":
    main()
