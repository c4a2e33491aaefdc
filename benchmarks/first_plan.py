"""Our planner and plain OR-Tools from scratch: the same day, the same seconds, both proved by the checker.

Question: how many more people get a ride? Cost model: both stop by the wall clock, model building included. Control: the greedy
insertion that both could start from. Curve expected: ours has nearly all it will ever serve after a second, OR-Tools catches up slowly
because unserved pairs keep guided local search stuck. Solvers run in turn, each in a fresh process, kernels warmed beforehand.

    python -m benchmarks.first_plan --roads andorra-2025.osm.pbf [--legs 200 --drivers 60 --seconds 1,10 --seeds 1,2,3] [--json OUT]
"""

import argparse
import datetime as dt
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dispatch.engine.plan_day import make_problem
from dispatch.engine.pool import Solver, solve_in_child
from dispatch.planning.baseline import solve_baseline
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.problem import Problem
from dispatch.planning.search import best_routes, construct, make_search
from dispatch.planning.solve import Report, Solution, SolveParams, solve, take_if_better
from dispatch.planning.timetable import make_plan
from dispatch.service.sample import make_sample_day
from routing.saved import open_roads


def _finish(problem: Problem, routes: list[list[int]] | None, began: float) -> Solution:
    search = make_search(problem.arrays, 1)
    if routes is not None:
        take_if_better(problem, search, routes)
    levels = tuple(int(x) for x in search.best_levels)
    return Solution(routes=best_routes(search), levels=levels, iterations=0, seconds=time.monotonic() - began)


def ortools_from_scratch(problem: Problem, params: SolveParams, report: Report) -> Solution:
    """OR-Tools alone, all the seconds."""
    began = time.monotonic()
    return _finish(problem, solve_baseline(problem, params.seconds), began)


def greedy(problem: Problem, params: SolveParams, report: Report) -> Solution:
    """Cheapest insertion, no search."""
    began = time.monotonic()
    search = make_search(problem.arrays, params.seed)
    construct(problem.arrays, search)
    return _finish(problem, best_routes(search), began)


SOLVERS: dict[str, Solver] = {"allons": solve, "ortools": ortools_from_scratch, "greedy": greedy}


def measure(problem: Problem, name: str, seconds: float, seed: int) -> dict[str, Any]:
    """One solve, its plan checked."""
    # OR-Tools may overrun its own limit: it is given time to hand over its plan, and the overrun is reported
    outcome = solve_in_child(problem, SolveParams(seconds=seconds, seed=seed), SOLVERS[name], grace=1.04 if name == "allons" else 3.0)
    routes = outcome.solution.routes
    plan = make_plan(problem, routes, explain_unserved(problem, routes), [], seconds)
    figures = plan.summary
    row = {"solver": name, "seconds": seconds, "seed": seed, "took": round(outcome.solve_s, 2), "ended": outcome.ended}
    found = {"served": figures.served, "km": round(figures.km_total), "km_empty": round(figures.km_empty)}
    return {**row, **found, "violations": len(check_plan(problem, plan))}


def main() -> None:
    """Print one row per solve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roads", type=Path, required=True)
    parser.add_argument("--legs", type=int, default=200)
    parser.add_argument("--drivers", type=int, default=60)
    parser.add_argument("--seconds", default="10")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--solvers", default="allons,ortools,greedy")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    network = open_roads(args.roads)
    rows = []
    for seed in map(int, args.seeds.split(",")):
        day = make_sample_day(network, legs=args.legs, drivers=args.drivers, seed=seed, day=dt.date(2026, 11, 24))
        problem, _ = make_problem(day, network)
        for seconds in map(float, args.seconds.split(",")):
            for name in args.solvers.split(","):
                rows.append(measure(problem, name, seconds, seed))
                print("| " + " | ".join(str(value) for value in rows[-1].values()) + " |", flush=True)
    about = {"python": platform.python_version(), "cores": os.cpu_count(), "ortools": version("ortools"), "numba": version("numba")}
    print(about)
    if args.json:
        args.json.write_text(json.dumps({"about": about, "roads": args.roads.name, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
