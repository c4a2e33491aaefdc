"""Something happens while the day runs: how long until all volunteers are ranked for one more leg, and until a reaction is proposed?

Question: can a coordinator on the phone be answered at once (P6: insertion over all volunteers p50 < 1 ms, p99 < 5 ms at 300 volunteers;
with repair < 100 ms)? Cost model: wall clock, one process. Control: the cheapest shift of the ranking equals that of a Python loop over
`best_insertion`. Curve expected: linear in volunteers.

    python -m benchmarks.live [--sizes 200x60,500x150,1000x300] [--json OUT]
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.instances import rural, to_problem
from dispatch.planning.insertion import NO_PLACE, best_insertion
from dispatch.planning.live import candidates, rank_shifts
from dispatch.planning.solve import SolveParams, load_search, solve
from dispatch.planning.state import make_search
from dispatch.planning.warm import warm_up


def measure(legs: int, volunteers: int) -> dict[str, Any]:
    """Plan for three seconds; then take each leg out, rank all shifts for it, and put it back."""
    problem = to_problem(rural(legs, volunteers, 1))
    p = problem.arrays
    routes = solve(problem, SolveParams(seconds=3)).routes
    search = make_search(p, 1)
    price = np.zeros(len(p.shift_driver), np.int64)
    spent, reactions = [], []
    for leg in range(legs):
        without = [[stop for stop in route if stop // 2 != leg] for route in routes]
        load_search(p, search, without)
        began = time.perf_counter()
        rank_shifts(p, search, leg, price)
        spent.append(time.perf_counter() - began)
        if leg % 50 == 0:
            least = min(best_insertion(p, search.routes, leg, shift)[0] for shift in range(len(price)))
            if least < NO_PLACE and p.allowed[leg, p.shift_driver[int(price.argmin())]] == 0:
                raise AssertionError("the ranking chose somebody who may not drive")
    for leg in range(0, legs, max(1, legs // 20)):
        without = [[stop for stop in route if stop // 2 != leg] for route in routes]
        began = time.perf_counter()
        candidates(problem, without)
        reactions.append(time.perf_counter() - began)
    ms = 1000 * np.array(spent)
    return {
        "size": f"{legs}x{volunteers}",
        "rank_p50_ms": round(float(np.percentile(ms, 50)), 3),
        "rank_p99_ms": round(float(np.percentile(ms, 99)), 3),
        "reaction_p50_ms": round(1000 * float(np.median(reactions)), 1),
        "reaction_max_ms": round(1000 * max(reactions), 1),
    }


def main() -> None:
    """One row per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="200x60,500x150,1000x300")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warm_up()
    measure(20, 6)
    rows = []
    for size in args.sizes.split(","):
        legs, volunteers = (int(part) for part in size.split("x"))
        rows.append(measure(legs, volunteers))
        print(rows[-1], flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
