"""Something has happened today: what could be done, the best first, each with its consequences. Nothing is decided here.

In: the day, the plan people were told, one event, roads. Out: a `Reaction`. Called by `allons change`.
Order: fewest broken promises, then the people served by priority, then the cost (docs/planning-problem.md, section 8).
"""

from collections.abc import Sequence

import structlog

from dispatch.engine.day_after import day_after
from dispatch.engine.plan_day import make_problem, notes_on
from dispatch.model.day import Day, Direction
from dispatch.model.events import Event, Proposal, Reaction
from dispatch.model.plans import Note, Plan
from dispatch.planning.check import check_plan
from dispatch.planning.explain import explain_unserved
from dispatch.planning.live import REPAIR_S, Candidate, candidates, routes_of
from dispatch.planning.problem import Problem
from dispatch.planning.timetable import make_plan
from routing.matrix import RoadTimes
from routing.network import RoadNetwork

log = structlog.get_logger()


def react(
    day: Day, plan: Plan, event: Event, network: RoadNetwork, road_times: RoadTimes | None = None, seconds: float = REPAIR_S
) -> Reaction:
    """Propose how to go on.

    Parameters
    ----------
    day, plan : Day, Plan
        As they were; what the plan tells counts as promised.
    event : Event
    network : RoadNetwork
    road_times : RoadTimes, optional
        From a cache.
    seconds : float
        For the repair.

    Returns
    -------
    Reaction
        The day as it is now, and at least one proposal. Every proposal's plan has passed the checker.

    Raises
    ------
    BadInput
        The event cannot be: nobody of that id, somebody who is in the car.
    """
    after = day_after(day, plan, event)
    problem, snapped = make_problem(after, network, road_times)
    return propose(after, problem, plan, seconds, tuple(notes_on(after, snapped)))


def propose(after: Day, problem: Problem, plan: Plan, seconds: float = REPAIR_S, notes: Sequence[Note] = ()) -> Reaction:
    """The same, from the problem of the day after the event."""
    before = {(leg.request, leg.leg) for run in plan.runs for leg in run.legs}
    found = []
    for candidate in candidates(problem, routes_of(problem, plan.runs), seconds):
        new = make_plan(problem, candidate.routes, explain_unserved(problem, candidate.routes), notes, None)
        violations = check_plan(problem, new)
        if violations:
            log.error("proposal", how=candidate.how, violations=[violation.code for violation in violations][:20])
            continue
        found.append(_proposal(candidate, new, plan, before))
    ranked = sorted(found, key=_rank)
    unique = {(p.levels.as_tuple(), p.served, p.touched): p for p in reversed(ranked)}
    return Reaction(day=after, proposals=tuple(sorted(unique.values(), key=_rank)))


def _rank(proposal: Proposal) -> tuple[int, ...]:
    levels = proposal.levels
    return (levels.broken_promises, levels.unserved_priority, levels.cost, levels.comfort, levels.goodwill)


def _proposal(candidate: Candidate, new: Plan, plan: Plan, before: set[tuple[str, Direction]]) -> Proposal:
    served = tuple(f"{leg.request}/{leg.leg}" for run in new.runs for leg in run.legs if (leg.request, leg.leg) not in before)
    known = {leg.id for leg in plan.unserved}
    without = tuple(leg.id for leg in new.unserved if leg.id not in known)
    km = round(new.summary.km_total - plan.summary.km_total, 3)
    fr, en = _sentences(len(served), len(without), len(new.touched), km)
    return Proposal(
        how=candidate.how,
        plan=new,
        touched=new.touched,
        served=served,
        without=without,
        km=km,
        levels=new.summary.levels,
        sentence=fr,
        sentence_en=en,
    )


def _sentences(served: int, without: int, touched: int, km: float) -> tuple[str, str]:
    """What a coordinator wants to know first: who gets a ride, who has none, whom to call, how far."""
    s = "s" if served > 1 else ""
    fr = [f"{served} trajet{s} de plus assuré{s}"] if served else []
    en = [f"{served} more {'ways' if served > 1 else 'way'} served"] if served else []
    if without:
        fr.append(f"{without} trajet{'s' if without > 1 else ''} sans bénévole")
        en.append(f"{without} {'ways' if without > 1 else 'way'} without a volunteer")
    fr.append(f"{touched} promesse{'s' if touched > 1 else ''} à changer" if touched else "aucune promesse à changer")
    en.append(f"{touched} {'promises' if touched > 1 else 'promise'} to change" if touched else "no promise to change")
    distance = f"{abs(km):.1f} km"
    fr.append(f"{distance.replace('.', ',')} {'de plus' if km >= 0 else 'de moins'}")
    en.append(f"{distance} {'more' if km >= 0 else 'less'}")
    fr_text, en_text = ", ".join(fr), ", ".join(en)
    return fr_text[0].upper() + fr_text[1:] + ".", en_text[0].upper() + en_text[1:] + "."
