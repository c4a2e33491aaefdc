"""Our planner beside its peers on public instances and rural days, every plan judged by code that no solver shares.

Question: how good are plans after so many seconds, and what is proved? Cost model: wall clock, one process and one core per solver, model
building included, kernels compiled beforehand. Sets: `cordeau` (24 dial-a-ride instances, cost against the known optimum), `lilim` (56
pickup-and-delivery instances, vehicles then distance against the best known), `rural` (generated days: unserved, then kilometres).
Control: 0 illegal plans of ours; bounds never above a known optimum. Curve expected: peers come nearer with time; gaps grow with size.

    scripts/bench planner --set cordeau --dir ../shared/data/bench/darp_a --seconds 10 [--peers ortools,vroom,pyvrp] [--json OUT]
    scripts/bench planner --set rural --size 200x60 --seconds 10 --seeds 1,2,3,4,5 --peers ortools,vroom,pyvrp
"""

import argparse
import json
import multiprocessing as mp
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.instances import Instance, cordeau, judge, lilim, rural, to_problem, without_times
from benchmarks.peers import available, nodes
from dispatch.planning.certificate import most_together
from dispatch.planning.solve import SolveParams, solve

FOLDERS = {"cordeau": "darp_a", "lilim": "lilim_100"}
#: Relative; costs are rounded to a thousandth of the unit.
SAME = 1e-5


def ours(instance: Instance, seconds: float, seed: int) -> dict[str, Any]:
    """Routes by node, and the bound with what it holds for."""
    solution = solve(to_problem(instance), SolveParams(seconds=seconds, seed=seed))
    row: dict[str, Any] = {"routes": nodes(instance, solution.routes), "bound": None, "together": most_together(solution.routes)}
    if solution.bound is not None:
        bound = solution.bound
        row |= {"bound": bound.value, "weight": bound.unserved_weight, "legs_together": bound.legs_together}
    return row


def run(solver: str, instance: Instance, seconds: float, seed: int) -> dict[str, Any]:
    """One solver on one instance, in this process."""
    began = time.monotonic()
    if solver == "allons":
        answer = ours(instance, seconds, seed)
    else:
        peer = available(solver)
        answer = {"routes": peer(instance, seconds, seed) if peer else {}, "bound": None}
    took = time.monotonic() - began
    verdict = judge(instance, answer["routes"])
    row = {
        "solver": solver,
        "seed": seed,
        "seconds": round(took, 2),
        "unserved": verdict.unserved,
        "vehicles": verdict.vehicles,
        "length": round(verdict.exact_length, 4),
        "illegal": verdict.illegal,
    }
    return row | _against_best(instance, row) | _proof(instance, answer, verdict)


def _against_best(instance: Instance, row: dict[str, Any]) -> dict[str, Any]:
    if instance.best_known is None:
        return {}
    best, vehicles = instance.best_known
    gap = 100 * (row["length"] / best - 1)
    same = row["unserved"] == 0 and (not vehicles or row["vehicles"] == vehicles)
    return {"best": best, "best_vehicles": vehicles, "gap": round(gap, 4) if same else None, "optimal": bool(same and gap <= 100 * SAME)}


def _proof(instance: Instance, answer: dict[str, Any], verdict: Any) -> dict[str, Any]:
    """The certificate; a bound on rounded lengths is lowered by what rounding can do before it is held against a known optimum."""
    if answer.get("bound") is None:
        return {"bound": None, "certified": False}
    value = verdict.unserved * answer["weight"] + verdict.length + verdict.vehicles * instance.vehicle_cost
    gap = value / answer["bound"] - 1
    row = {
        "bound": answer["bound"],
        "legs_together": answer["legs_together"],
        "together": answer["together"],
        "certified_gap": round(100 * gap, 5),
        "certified": bool(answer["legs_together"] is None and gap <= SAME),
    }
    if instance.best_known is not None:
        best, vehicles = instance.best_known
        rounding = 0.5 * (2 * instance.n + 2 * instance.vehicles)
        above = bool(answer["bound"] - rounding > best * instance.scale * (1 + SAME) + vehicles * instance.vehicle_cost)
        # a bound for simple plans may be above an optimum that is not simple; never above a plan of ours that is
        limit = answer["legs_together"]
        row["bound_violation"] = above and (limit is None or (answer["together"] <= limit and gap < -SAME))
    return row


def _apart(*asked: Any) -> dict[str, Any]:
    from dispatch.planning.warm import warm_up

    warm_up()
    return run(*asked)


def main() -> None:
    """Every solver on every instance, in turn, each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=["cordeau", "lilim", "rural", "day"], required=True)
    parser.add_argument("--dir", type=Path, default=Path("../shared/data/bench"))
    parser.add_argument("--only", default="", help="part of the names")
    parser.add_argument("--size", default="200x60", help="of rural days: legs x volunteers")
    parser.add_argument("--common", action="store_true", help="leave out ride limits and longest duties for everybody")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--peers", default="")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    if args.set == "day":
        _large_days(args, seeds)
        return
    solvers = ["allons"] + [name for name in filter(None, args.peers.split(",")) if _there(name)]
    rows = []
    for instance, seed in _instances(args, seeds):
        for solver in solvers:
            with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn")) as apart:
                row = {"instance": instance.name, **apart.submit(_apart, solver, instance, args.seconds, seed).result()}
            rows.append(row)
            print("| " + " | ".join(str(row.get(key)) for key in _SHOWN) + " |", flush=True)
    totals = {solver: _totals([row for row in rows if row["solver"] == solver]) for solver in solvers}
    for solver, total in totals.items():
        print(solver, total)
    versions = {"python": platform.python_version(), **{name: _version(name) for name in ("ortools", "numba", "pyvroom", "pyvrp")}}
    print(versions)
    if args.json:
        result = {"set": args.set, "seconds": args.seconds, "instances": rows, "totals": totals, **totals["allons"], "versions": versions}
        args.json.write_text(json.dumps(result, indent=1) + "\n")


def _large_days(args: argparse.Namespace, seeds: list[int]) -> None:
    """The product's own path for days that one search cannot plan; no peer takes a problem of this size."""
    from benchmarks.large_day import run_day
    from dispatch.planning.warm import warm_up

    warm_up()
    legs, volunteers = (int(part) for part in args.size.split("x"))
    rows = []
    for seed in seeds:
        rows.append(run_day(legs, volunteers, seed, args.seconds))
        print("| " + " | ".join(str(rows[-1].get(key)) for key in (*_SHOWN[:7], "memory_mib", "illegal")) + " |", flush=True)
    if args.json:
        totals = {"allons": _totals(rows)}
        result = {"set": "day", "seconds": args.seconds, "instances": rows, "totals": totals, **totals["allons"]}
        args.json.write_text(json.dumps(result, indent=1) + "\n")


_SHOWN = (
    *("instance", "solver", "seed", "seconds", "unserved", "vehicles", "length"),
    *("gap", "certified_gap", "legs_together", "together", "illegal"),
)


def _there(name: str) -> bool:
    if available(name) is None:
        print(f"left out, not installed here: {name}", file=sys.stderr)
        return False
    return True


def _instances(args: argparse.Namespace, seeds: list[int]) -> list[tuple[Instance, int]]:
    if args.set == "rural":
        legs, volunteers = (int(part) for part in args.size.split("x"))
        made = [(rural(legs, volunteers, seed), seed) for seed in seeds]
    else:
        folder = args.dir / FOLDERS[args.set] if (args.dir / FOLDERS[args.set]).is_dir() else args.dir
        read = cordeau if args.set == "cordeau" else lilim
        paths = sorted(path for path in folder.glob("*.txt") if path.stem != "FORMAT" and args.only in path.stem)
        made = [(read(path), seed) for path in paths for seed in seeds]
    return [(without_times(instance), seed) for instance, seed in made] if args.common else made


def _totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    gaps = [row["gap"] for row in rows if row.get("gap") is not None]
    return {
        "runs": len(rows),
        "mean_gap": round(sum(gaps) / len(gaps), 4) if gaps else None,
        "same_vehicles": len(gaps),
        "optimal": sum(bool(row.get("optimal")) for row in rows),
        "certified": sum(bool(row.get("certified")) for row in rows),
        "illegal": sum(bool(row["illegal"]) for row in rows),
        "bound_violations": sum(bool(row.get("bound_violation")) for row in rows),
        "unserved": sum(row["unserved"] for row in rows),
        "length": round(sum(row["length"] for row in rows), 1),
        "slowest": max(row["seconds"] for row in rows),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
