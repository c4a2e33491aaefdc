"""What each step of the main job costs on real extracts: seconds and peak memory.

Question: can a coordinator's machine do it? Cost model: reading is linear in the objects of the extract, the matrix is one Dijkstra per
distinct source node, planning takes the seconds it is given. Control: the same steps on the smallest extract. Every step runs in a fresh
process of its own, so that its peak (resident set, from the operating system) is its own; what the interpreter and the imports take is the
row "imports".

    python -m benchmarks.steps --roads andorra-2025.osm.pbf --roads porto-2015.osm.pbf [--legs 200 --drivers 60 --seconds 10] [--json OUT]
"""

import argparse
import json
import multiprocessing as mp
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

Step = Callable[[Path, argparse.Namespace], dict[str, Any]]


def imports(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Nothing but the rooms that the others need."""
    import dispatch.engine.plan_day  # noqa: F401

    return {}


def build(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Extract to saved network."""
    from routing.network import build_network
    from routing.osm import load_extract
    from routing.saved import save_network

    network = build_network(load_extract(args.extract))
    save_network(network, folder / "n.roads")
    return {"nodes": len(network.node_lon), "edges": len(network.metres), "km": round(sum(network.km_by_class().values()))}


def reopen(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Saved network to memory-mapped arrays."""
    from routing.saved import load_network

    return {"edges": len(load_network(folder / "n.roads").metres)}


def sample(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """An invented day."""
    import datetime as dt

    from dispatch.service.sample import make_sample_day
    from routing.saved import load_network

    day = make_sample_day(load_network(folder / "n.roads"), legs=args.legs, drivers=args.drivers, seed=1, day=dt.date(2026, 11, 24))
    (folder / "day.json").write_text(day.model_dump_json(), encoding="utf-8")
    return {"legs": args.legs, "drivers": args.drivers}


def matrix(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Snapping and all road times of the day."""
    from dispatch.engine.plan_day import make_problem
    from dispatch.files import load_day
    from routing.saved import load_network

    problem, _ = make_problem(load_day(folder / "day.json"), load_network(folder / "n.roads"))
    return {"points": len(problem.points)}


def plan(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The whole of `allons plan`, solving process included."""
    from dispatch.engine.plan_day import plan_day
    from dispatch.files import load_day, write_text
    from dispatch.planning.solve import SolveParams
    from routing.saved import load_network

    planned = plan_day(load_day(folder / "day.json"), load_network(folder / "n.roads"), SolveParams(seconds=args.seconds))
    write_text(folder / "plan.json", planned.plan.model_dump_json())
    summary = planned.plan.summary
    parts = {step: round(spent, 2) for step, spent in planned.seconds.items()}
    return {"served": summary.served, "km": summary.km_total, "violations": summary.violations, "parts": parts}


def check(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The whole of `allons check`."""
    from dispatch.engine.plan_day import make_problem
    from dispatch.files import load_day, load_plan
    from dispatch.planning.check import check_plan
    from routing.saved import load_network

    problem, _ = make_problem(load_day(folder / "day.json"), load_network(folder / "n.roads"))
    return {"violations": len(check_plan(problem, load_plan(folder / "plan.json")))}


STEPS: tuple[Step, ...] = (imports, build, reopen, sample, matrix, plan, check)


def _peak_mb(who: int) -> float:
    peak = resource.getrusage(who).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def _run(step: Step, folder: Path, args: argparse.Namespace, out: Any) -> None:
    began = time.perf_counter()
    facts = step(folder, args)
    spent = time.perf_counter() - began
    memory = {"peak_mb": _peak_mb(resource.RUSAGE_SELF), "child_peak_mb": _peak_mb(resource.RUSAGE_CHILDREN)}
    out.put({"step": step.__name__, "seconds": round(spent, 3), "cpu": round(sum(os.times()[:4]), 2), **memory, **facts})


def main() -> None:
    """Run every step on every extract and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roads", type=Path, action="append", required=True)
    parser.add_argument("--legs", type=int, default=200)
    parser.add_argument("--drivers", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    context = mp.get_context("spawn")
    rows = []
    for extract in args.roads:
        args.extract = extract.resolve()
        with tempfile.TemporaryDirectory() as folder:
            for step in STEPS:
                out = context.SimpleQueue()
                process = context.Process(target=_run, args=(step, Path(folder), args, out))
                process.start()
                process.join()
                if process.exitcode:
                    sys.exit(f"{step.__name__} failed on {extract.name}")
                rows.append({"extract": extract.name, **out.get()})
                row = rows[-1]
                facts = {k: v for k, v in row.items() if k not in ("extract", "step", "seconds", "cpu", "peak_mb", "child_peak_mb")}
                print(f"| {row['extract']} | {row['step']} | {row['seconds']:.2f} | {row['peak_mb']:.0f} | {facts or ''} |", flush=True)
    packages = ("numpy", "scipy", "numba", "osmium", "ortools", "shapely")
    about = {"python": platform.python_version(), "cores": os.cpu_count(), **{name: version(name) for name in packages}}
    print(about)
    if args.json:
        args.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
