"""From a day and a road network to a proved plan: the one path of `allons plan` and of every round.

In: a `Day`, a `RoadNetwork`, a budget. Out: a `Planned`, whose plan has been checked by code that the search does not share.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from dispatch.engine.large_day import plan_large_day
from dispatch.engine.pool import Children, Ended, solve_in_child
from dispatch.engine.write_plan import write_plan
from dispatch.model.day import Day
from dispatch.model.plans import Note, Plan
from dispatch.planning.cells import ways_of
from dispatch.planning.check import Violation, check_plan
from dispatch.planning.problem import UNREACHABLE, LonLat, Matrices, Problem, build_problem, day_points
from dispatch.planning.solve import SolveParams
from routing.matrix import RoadTimes, travel_times
from routing.network import RoadNetwork
from routing.snap import Snapped, snap
from routing.units import UNREACHABLE as NO_ROAD

#: Days with more ways than this are planned in cells: one search is still better for 500, and takes long to begin with a thousand.
LARGE_LEGS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan, what it was checked against, and what each step cost."""

    plan: Plan
    problem: Problem | None  # None for a large day, which was planned in cells
    violations: list[Violation]
    ended: Ended  # of the solving process; anything but "done" means that the plan is an earlier one of that process
    seconds: dict[str, float] = field(default_factory=dict)


def plan_day(
    day: Day, network: RoadNetwork, params: SolveParams, road_times: RoadTimes | None = None, children: Children | None = None
) -> Planned:
    """Plan one day.

    Parameters
    ----------
    day : Day
    network : RoadNetwork
    params : SolveParams
    road_times : RoadTimes, optional
        Gives the network's times from a cache; without it they are computed.
    children : Children, optional
        Whose end ends this too.

    Returns
    -------
    Planned
        With `plan.summary.violations` counted; a plan with violations must not be acted upon.

    Raises
    ------
    SolveFailed
        The solving process ended before it had any plan.
    Left
        `children` were ended.
    """
    clock = _Stopwatch()
    if params.iterations is None and len(ways_of(day)) > LARGE_LEGS:
        return _plan_in_cells(day, network, params, road_times, clock, children)
    with clock("roads"):
        problem, snapped = make_problem(day, network, road_times)
    outcome = solve_in_child(problem, params, children=children)
    clock.seconds |= {"start and compile": outcome.start_s, "solve": outcome.solve_s}
    with clock("explain and check"):
        routes = outcome.solution.routes
        told_s = None if params.iterations is not None else round(outcome.solve_s, 3)
        plan = write_plan(day, problem, routes, [*notes_on(day, snapped)], told_s, outcome.solution.bound)
        violations = check_plan(problem, plan)
    counted = plan.summary.model_copy(update={"violations": len(violations)})
    plan = plan.model_copy(update={"summary": counted})
    return Planned(plan=plan, problem=problem, violations=violations, ended=outcome.ended, seconds=clock.seconds)


def _plan_in_cells(
    day: Day, network: RoadNetwork, params: SolveParams, road_times: RoadTimes | None, clock: "_Stopwatch", children: Children | None
) -> Planned:
    def roads(points: Sequence[LonLat]) -> Matrices:
        return make_matrices(points, day.policy.snap_limit_metres, network, road_times)[0]

    with clock("roads"):
        snapped = snap(network, np.array(day_points(day), np.float64).reshape(-1, 2), limit_m=float(day.policy.snap_limit_metres))
    with clock("solve, explain and check"):
        planned = plan_large_day(day, roads, params, notes=[*notes_on(day, snapped)], children=children)
    return Planned(plan=planned.plan, problem=None, violations=planned.violations, ended="done", seconds=clock.seconds)


def make_problem(day: Day, network: RoadNetwork, road_times: RoadTimes | None = None) -> tuple[Problem, Snapped]:
    """Road times between all points of a day, then its arrays. Also what `allons check` proves a plan against."""
    matrices, snapped = make_matrices(day_points(day), day.policy.snap_limit_metres, network, road_times)
    return build_problem(day, matrices), snapped


def make_matrices(
    points: Sequence[LonLat], limit_m: float, network: RoadNetwork, road_times: RoadTimes | None = None
) -> tuple[Matrices, Snapped]:
    """Seconds, rounded up, and metres between points."""
    snapped = snap(network, np.array(points, np.float64).reshape(-1, 2), limit_m=float(limit_m))
    road = road_times(snapped, snapped, True) if road_times else travel_times(network, snapped, snapped, metres=True)
    if road.metres is None:
        raise AssertionError("metres were asked for")
    reachable = road.ms < NO_ROAD
    times = np.where(reachable, -(-road.ms.astype(np.int64) // 1000), UNREACHABLE)
    metres = np.where(reachable, road.metres.astype(np.int64), UNREACHABLE)
    return Matrices(times, metres), snapped


def notes_on(day: Day, snapped: Snapped) -> Iterator[Note]:
    """What a coordinator should know about the day itself: nobody there, or points that no road comes near."""
    if not day.drivers:
        yield Note(subject="drivers", sentence="Aucun bénévole ce jour-là.", sentence_en="No volunteer on this day.")
    if not day.requests:
        yield Note(subject="requests", sentence="Aucune demande ce jour-là.", sentence_en="No request on this day.")
    far = {point: float(metres) for point, edge, metres in zip(day_points(day), snapped.edge, snapped.distance_m, strict=True) if edge < 0}
    for driver in day.drivers:
        if driver.home in far:
            yield _far_note(f"drivers {driver.id} home", "Le domicile de ce bénévole", "This volunteer's home", far[driver.home])
    for request in day.requests:
        for name, fr, en in (("origin", "Le départ", "The origin"), ("destination", "L'arrivée", "The destination")):
            point = getattr(request, name)
            if point in far:
                yield _far_note(f"requests {request.id} {name}", f"{fr} de cette demande", f"{en} of this request", far[point])


def _far_note(subject: str, fr: str, en: str, metres: float) -> Note:
    distance = f"{metres / 1000:.1f} km" if metres < 1e7 else "?"
    return Note(
        subject=subject,
        sentence=f"{fr} est à {distance.replace('.', ',')} de la route la plus proche : vérifiez le point ou le fichier de routes.",
        sentence_en=f"{en} is {distance} from the nearest road: check the point or the road file.",
    )


class _Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - began
