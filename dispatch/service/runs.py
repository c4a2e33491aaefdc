"""Runs: the time that a plan takes from its volunteers. What was planned before gives way to the new plan, at once and as a whole.

In: a plan, and what volunteers hold already. Out: rows by number of the plan's run. Called by `service.rounds`.
The database refuses overlaps.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from uuid import UUID

from dispatch.model.lifecycle import INITIAL
from dispatch.model.plans import Plan
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Run
from dispatch.world import World


def bound_volunteers(
    store: Store, day: date, plan: Plan, held_now: Iterable[Assignment], open_legs: Collection[UUID], legs: Mapping[tuple[str, str], Leg]
) -> set[UUID]:
    """Volunteers whose present runs the plan does not know: they keep them, and the plan's runs for them are dropped.

    They have started, or hold a leg that the plan may not move (`open_legs` are those it may) and does not give to them.
    """
    planned = {
        (leg.id, UUID(run.driver)) for run in plan.runs for served in run.legs if (leg := legs.get((served.request, str(served.leg))))
    }
    bound = {run.volunteer_id for runs in store.active_runs(day).values() for run in runs if run.state == "started"}
    for held in held_now:
        if held.leg_id not in open_legs and (held.leg_id, held.volunteer_id) not in planned:
            bound.add(held.volunteer_id)
    return bound


def place_runs(
    store: Store, day: date, plan: Plan, wanted: Iterable[int], held: Mapping[int, list[Assignment]], world: World
) -> dict[int, Run]:
    """Rows for the plan's runs that somebody rides in: those of `wanted`, and of `held` (what stays, by number of the plan's run).

    All runs of these volunteers are released before the first is claimed, so that two of them may change places.
    """
    numbers = sorted({*wanted, *held}, key=lambda k: (plan.runs[k].driver, k))  # the same order in every process: nobody waits in a circle
    volunteers = {UUID(plan.runs[k].driver) for k in numbers}
    before = defaultdict(list, store.active_runs(day))
    placed: dict[int, Run] = {}
    for k in numbers:  # a run whose time stays the same is the same run
        volunteer = UUID(plan.runs[k].driver)
        same = [run for run in before[volunteer] if (run.starts_at, run.ends_at) == (plan.runs[k].leaves_home, plan.runs[k].back_home)]
        if same:
            placed[k] = same[0]
    staying = {run.id for run in placed.values()}
    for run in (run for volunteer in volunteers for run in before[volunteer] if run.id not in staying):
        store.move(run, "cancelled", world)
    for k in (k for k in numbers if k not in placed):
        planned = plan.runs[k]
        span = {"starts_at": planned.leaves_home, "ends_at": planned.back_home}
        placed[k] = Run(id=world.new_id(), volunteer_id=UUID(planned.driver), service_date=day, state=INITIAL["run"], **span)
        store.add(placed[k])
    for k, assignments in held.items():
        for assignment in assignments:
            assignment.run_id = placed[k].id
    store.flush()
    return placed
