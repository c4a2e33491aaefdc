"""Runs: the time that a plan takes from its volunteers. What was planned before gives way to the new plan, at once and as a whole.

In: a plan, and what volunteers hold already. Out: rows by number of the plan's run. Called by `service.rounds`; taps and cancellations
end runs.
The database refuses overlaps.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from dispatch.model.lifecycle import INITIAL, OVER_LEG
from dispatch.model.plans import Plan, Stop
from dispatch.storage.driving import RunStop
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Run
from dispatch.world import World


def bound_volunteers(
    store: Store, day: date, plan: Plan, held_now: Iterable[Assignment], open_legs: Collection[UUID], legs: Mapping[tuple[str, str], Leg]
) -> set[UUID]:
    """Volunteers whose present runs the plan does not know: they keep them, and the plan's runs for them are dropped.

    They hold a leg that the plan may not move (`open_legs` are those it may) and does not give to them.
    """
    planned = {
        (leg.id, UUID(run.driver)) for run in plan.runs for served in run.legs if (leg := legs.get((served.request, str(served.leg))))
    }
    bound: set[UUID] = set()
    for held in held_now:
        if held.leg_id not in open_legs and (held.leg_id, held.volunteer_id) not in planned:
            bound.add(held.volunteer_id)
    return bound


def place_runs(
    store: Store,
    day: date,
    plan: Plan,
    wanted: Iterable[int],
    held: Mapping[int, list[Assignment]],
    legs: Mapping[tuple[str, str], Leg],
    world: World,
) -> dict[int, Run]:
    """Rows for the plan's runs that somebody rides in: those of `wanted`, and of `held` (what stays, by number of the plan's run).

    All runs of these volunteers are released before the first is claimed, so that two of them may change places.
    """
    numbers = sorted({*wanted, *held}, key=lambda k: (plan.runs[k].driver, k))  # the same order in every process: nobody waits in a circle
    volunteers = {UUID(plan.runs[k].driver) for k in numbers}
    before: defaultdict[UUID, list[Run]] = defaultdict(list)
    for volunteer, runs in store.active_runs(day).items():  # whoever is out finishes that run first: no plan changes it
        before[volunteer] = [run for run in runs if run.state != "started"]
    placed: dict[int, Run] = {}
    for k in numbers:  # a run whose time stays the same is the same run
        volunteer = UUID(plan.runs[k].driver)
        same = [run for run in before[volunteer] if (run.starts_at, run.ends_at) == (plan.runs[k].leaves_home, plan.runs[k].back_home)]
        if same:
            placed[k] = same[0]
            same[0].metres = round(plan.runs[k].km * 1000)
    staying = {run.id for run in placed.values()}
    for run in (run for volunteer in volunteers for run in before[volunteer] if run.id not in staying):
        store.move(run, "cancelled", world)
    for k in (k for k in numbers if k not in placed):
        planned = plan.runs[k]
        span = {"starts_at": planned.leaves_home, "ends_at": planned.back_home, "metres": round(planned.km * 1000)}
        placed[k] = Run(id=world.new_id(), volunteer_id=UUID(planned.driver), service_date=day, state=INITIAL["run"], **span)
        store.add(placed[k])
    for k, assignments in held.items():
        for assignment in assignments:
            assignment.run_id = placed[k].id
    store.flush()
    stops = [stop for k, run in placed.items() for stop in _stops(run, plan.runs[k].stops, legs, world)]
    store.replace_stops([run.id for run in placed.values()], stops)
    return placed


def _stops(run: Run, planned: Sequence[Stop], legs: Mapping[tuple[str, str], Leg], world: World) -> Iterator[RunStop]:
    """Where the volunteer goes, in the order of driving."""
    for number, stop in enumerate(planned):
        leg = legs.get((stop.request, str(stop.leg))) if stop.request else None
        if leg is None and stop.kind not in ("home", "position"):  # of somebody whose request has changed meanwhile
            continue
        times = {"arrive_at": stop.arrive, "depart_at": stop.depart, "metres": stop.metres}
        about = {"run_id": run.id, "number": number, "kind": stop.kind, "leg_id": leg.id if leg else None, "place": stop.place}
        yield RunStop(id=world.new_id(), **about, **times)


def finish_run(store: Store, run: Run, world: World) -> None:
    """A run under way whose people have all been brought where they wanted to be, were not there, or cancelled, is over."""
    rides = store.rides_of([run.id]).get(run.id, [])
    if run.state == "started" and all(leg.state in OVER_LEG for _, leg in rides):
        store.move(run, "finished", world)
