"""Something happens today: proposals are legal, ranked, say exactly whom they touch, and keep what can be kept."""

import itertools
from typing import Any

import pytest

from dispatch.engine.day_after import day_after
from dispatch.engine.react import propose, react
from dispatch.errors import BadInput
from dispatch.model.day import CommittedStop, Day, Promise, StartedRun
from dispatch.model.events import Cancelled, Event, NewRequest, NoShow, Reaction, VolunteerGone, VolunteerLate
from dispatch.model.plans import Plan
from dispatch.planning.check import check_plan
from dispatch.planning.solve import SolveParams, solve
from routing.network import RoadNetwork
from tests.dispatch.engine.test_plan_day import day_on
from tests.dispatch.planning.days import ask, driver, make_day, plane_problem, random_day
from tests.dispatch.planning.test_solve import plan_of

TWO = (driver("d", home=(0.1, 0.0)), driver("e", home=(0.15, 0.05)))


def told(day: Day) -> Plan:
    problem = plane_problem(day)
    return plan_of(problem, solve(problem, SolveParams(iterations=150)).routes)


def reaction_to(day: Day, event: Event, plan: Plan | None = None) -> Reaction:
    before = told(day) if plan is None else plan
    after = day_after(day, before, event)
    return propose(after, plane_problem(after), before, seconds=0.05)


def drivers_of(plan: Plan) -> dict[str, str]:
    return {f"{leg.request}/{leg.leg}": run.driver for run in plan.runs for leg in run.legs}


def test_a_new_request_goes_to_the_volunteer_it_costs_least_and_touches_nobody() -> None:
    day = make_day(drivers=TWO, requests=(ask("a"),))
    reaction = reaction_to(day, NewRequest(request=ask("new", arrive_by="14:00")))
    best = reaction.proposals[0]
    assert (best.served, best.touched, best.without) == (("new/outbound",), (), ())
    assert drivers_of(best.plan)["new/outbound"] == "d"
    assert best.sentence.startswith("1 trajet de plus assuré, aucune promesse à changer")
    others = {drivers_of(p.plan).get("new/outbound") for p in reaction.proposals}
    assert others == {"d", "e", None}  # the other volunteer, and nobody, are there to choose
    assert [p.levels.as_tuple()[1::-1] for p in reaction.proposals] == sorted(p.levels.as_tuple()[1::-1] for p in reaction.proposals)


def test_a_volunteer_who_is_gone_loses_every_ride_and_the_others_take_over() -> None:
    day = make_day(drivers=TWO, requests=(ask("a"), ask("b", arrive_by="15:00")))
    plan = told(day)
    assert set(drivers_of(plan).values()) == {"d"}
    best = reaction_to(day, VolunteerGone(driver="d"), plan).proposals[0]
    assert set(drivers_of(best.plan).values()) == {"e"}
    assert [(t.request, t.how, t.before, t.after) for t in best.touched] == [(r, "driver_changed", "d", "e") for r in "ab"]


def test_a_lock_on_a_volunteer_who_is_gone_is_lifted() -> None:
    promise = Promise(request="a", leg="outbound", driver="d", pickup_at="09:40", lock="both")
    day = make_day(drivers=TWO, requests=(ask("a"),), promises=(promise,))
    assert drivers_of(reaction_to(day, VolunteerGone(driver="d")).proposals[0].plan) == {"a/outbound": "e"}


def test_a_late_volunteer_keeps_what_is_still_possible() -> None:
    day = make_day(drivers=TWO, requests=(ask("early", arrive_by="08:45"), ask("noon", arrive_by="12:00")))
    plan = told(day)
    before = drivers_of(plan)["early/outbound"]
    best = reaction_to(day, VolunteerLate(driver=before, minutes=60), plan).proposals[0]
    assert drivers_of(best.plan) == {"early/outbound": "e" if before == "d" else "d", "noon/outbound": before}
    assert [t.request for t in best.touched] == ["early"]


def test_a_cancelled_way_makes_room_for_somebody_on_standby() -> None:
    day = make_day(drivers=(driver("d"),), requests=(ask("a", alone=True, priority=2), ask("b", alone=True)))
    plan = told(day)
    assert [leg.request for leg in plan.unserved] == ["b"]
    reaction = reaction_to(day, Cancelled(request="a"), plan)
    assert reaction.proposals[0].served == ("b/outbound",)
    assert reaction.day.over[0].request == "a"


def test_who_does_not_come_needs_no_way_back() -> None:
    day = make_day(drivers=(driver("d"),), requests=(ask("a", return_after="12:00"),))
    best = reaction_to(day, NoShow(request="a", leg="outbound")).proposals[0]
    assert (best.plan.runs, best.plan.unserved, best.touched) == ((), (), ())
    assert best.km < 0


def out(**stop: Any) -> Day:
    committed = (CommittedStop(**({"request": "a", "leg": "outbound", "kind": "dropoff", "picked_up_at": "09:40"} | stop)),)
    run = StartedRun(driver="d", left_home_at="09:20", at=(0.12, 0.0), free_at="09:45", committed=committed)
    return make_day(drivers=TWO, requests=(ask("a"), ask("b", arrive_by="10:30", origin=(0.2, 0.05))), now="09:45", started=(run,))


def test_who_is_out_and_late_still_brings_whoever_is_aboard() -> None:
    best = reaction_to(out(), VolunteerLate(driver="d", minutes=90)).proposals[0]
    assert drivers_of(best.plan)["a/outbound"] == "d"
    assert best.plan.runs[0].stops[0].kind == "position"


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (Cancelled(request="a"), "in the car now"),
        (VolunteerGone(driver="d"), "in this car now"),
        (Cancelled(request="nobody"), "not the id of a request"),
        (VolunteerGone(driver="nobody"), "not the id of a driver"),
        (VolunteerLate(driver="e", minutes=5), "no run that could be late"),
        (NoShow(request="b", leg="return"), "over already, or was never asked for"),
        (NewRequest(request=ask("a")), "used twice"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(event: Event, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        reaction_to(out(), event)


@pytest.mark.parametrize("seed", range(15))
def test_whatever_happens_every_proposal_is_legal_and_lists_exactly_who_is_touched(seed: int) -> None:
    day = random_day(300 + seed, requests=8, drivers=4)
    plan = told(day)
    driving = next((run.driver for run in plan.runs), "d0")
    events: list[Event] = [NewRequest(request=ask("new", arrive_by="13:00")), VolunteerGone(driver=driving), Cancelled(request="r1")]
    events += [VolunteerLate(driver=driving, minutes=25)] if plan.runs else []
    for event in events:
        reaction = reaction_to(day, event, plan)
        problem = plane_problem(reaction.day)
        assert reaction.proposals
        for proposal in reaction.proposals:
            assert check_plan(problem, proposal.plan) == []
            now, before = drivers_of(proposal.plan), drivers_of(plan)
            over = {f"{leg.request}/{leg.leg}" for leg in reaction.day.over}
            changed = {leg for leg in before.keys() - over if now.get(leg) != before[leg]}
            assert changed <= {f"{t.request}/{t.leg}" for t in proposal.touched}
        ranks = [(p.levels.broken_promises, p.levels.unserved_priority, p.levels.cost) for p in reaction.proposals]
        assert all(a <= b for a, b in itertools.pairwise(ranks))


def test_on_real_roads_a_new_request_is_proposed(demo_roads: RoadNetwork) -> None:
    day = day_on(demo_roads)
    request = day.requests[0].model_copy(update={"id": "new", "arrive_by": "15:00", "return_after": None})
    empty = day.model_copy(update={"requests": ()})
    plan = Plan.model_validate_json(told_on(empty, demo_roads).model_dump_json())
    best = react(empty, plan, NewRequest(request=request), demo_roads).proposals[0]
    assert best.served == ("new/outbound",)


def told_on(day: Day, network: RoadNetwork) -> Plan:
    from dispatch.engine.plan_day import make_problem

    problem, _ = make_problem(day, network)
    return plan_of(problem, solve(problem, SolveParams(iterations=20)).routes)
