"""Rounds as the database sees them: queued, claimed with a snapshot, saved as offers, or failed.

In: dates, plans. Out: rows. The plan itself is made by `dispatch.engine`. Called by the engine and the API; the caller commits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from dispatch.errors import BadInput, Fault
from dispatch.model.day import Driver
from dispatch.model.lifecycle import INITIAL, WAITING_LEG
from dispatch.model.plans import Plan, Reason, Run, Unserved
from dispatch.rules.availability import Span, covers
from dispatch.rules.fitness import met_needs
from dispatch.service.asking import Held, Ride, ask, hold, propose, release
from dispatch.service.availability import free_spans
from dispatch.service.day import Snapshot, make_snapshot
from dispatch.service.offers import withdraw_offer
from dispatch.service.people import rules_of
from dispatch.service.privacy import mask_plan
from dispatch.service.runs import bound_volunteers, place_runs
from dispatch.storage.store import Store
from dispatch.storage.tables import Assignment, Leg, Round, UnservedLeg, Volunteer
from dispatch.world import World

OVERTAKEN = "overtaken"
TOO_LATE = ("L'heure de ce trajet est passée, ou trop proche.", "The time of this ride has passed, or is too near.")

NOT_FREE = ("Le bénévole prévu n'est plus libre ce jour-là.", "The volunteer who was planned is not free that day any more.")
MOST_DAYS = 400  # ahead, and for the planner itself also back


@dataclass(frozen=True, slots=True)
class Claim:
    """A round that is one's own, until its lease ends."""

    territory_id: UUID
    round_id: UUID
    token: int  # with which the result is taken
    attempts: int  # this one included


def enqueue_round(store: Store, service_date: date, seconds: float, seed: int, world: World, oldest_days: int = 1) -> Round:
    """Ask for a day to be planned; the round that already waits for this day, if there is one. BadInput for a day too far back or ahead."""
    age = (world.now().date() - service_date).days
    if not -MOST_DAYS <= age <= oldest_days:
        raise BadInput([Fault("date", "out_of_range", "must be today or one of the next 400 days")])
    row = Round(id=world.new_id(), service_date=service_date, state=INITIAL["round"], seconds=seconds, seed=seed, queued_at=world.now())
    waiting = store.queued_round(service_date)
    if waiting is None and not store.add_unless_there(row):
        waiting = store.queued_round(service_date)
    return waiting or row


def enqueue_slot(store: Store, service_date: date, slot: datetime, seconds: float, world: World) -> None:
    """Ask for a day at a time of the timetable: the round that waits for it anyway, or a new one. Once, whoever asks how often.

    Conflict when another planner was quicker at this very moment.
    """
    waiting = store.queued_round(service_date)
    if waiting is not None:
        waiting.slot = slot
        store.flush()
        return
    told = {"state": INITIAL["round"], "seconds": seconds, "seed": 1, "queued_at": world.now()}
    store.add_unless_there(Round(id=world.new_id(), service_date=service_date, slot=slot, **told))


def claim_round(store: Store, round_id: UUID, world: World, lease_s: float = 30.0) -> Claim:
    """Take a queued round, or one whose worker is lost, for oneself. Conflict when somebody else has it.

    To be committed before anything else is tried, so that a round nobody can plan is given up after some attempts.
    """
    row = store.claim_round(round_id, lease_s)
    store.move(row, "running", world)
    row.started_at = world.now()
    store.flush()
    return Claim(store.territory_id, row.id, row.token, row.attempts)


def load_day(store: Store, claim: Claim, world: World) -> Snapshot:
    """The day of a claimed round, as it is now."""
    return make_snapshot(store, store.get(Round, claim.round_id), claim.token, world.now())


def fail_round(store: Store, round_id: UUID, token: int, why: str, world: World, plan: Plan | None = None) -> None:
    """A round that came to nothing: what people were told before stands. Conflict when another worker has taken it over."""
    row = store.hold_round(round_id, token, 0.0)
    store.move(row, "failed", world)
    row.failure, row.finished_at = why, world.now()
    row.plan = _to_keep(store, plan) if plan else None
    store.flush()


def save_round(
    store: Store,
    snapshot: Snapshot,
    plan: Plan,
    offer_minutes: int,
    world: World,
    again: Mapping[tuple[UUID, UUID], str] = {},
    at_once: bool = False,
) -> bool:
    """Turn a proved plan into offers, or into proposals where the territory sends by hand, whole or not at all. Conflict when another
    worker has taken the round over.

    Requests that changed since the snapshot are left alone, and so are volunteers who have left, do not want somebody any more, or hold
    something that the plan does not know; True when there are changes: the day should be planned again. Offers and
    proposals that the plan confirms stay as they are; the others are withdrawn before new ones are made. What volunteers accepted is never
    touched. `again`: why a volunteer is asked about a request anew that he or she did not say yes to, by request and volunteer. `at_once`:
    what is new is asked in any case.
    """
    by_hand = rules_of(store.territory()).offers.sending == "by_hand"
    row = store.hold_round(snapshot.round_id, snapshot.token, 0.0)
    store.move(row, "done", world)
    row.finished_at, row.plan = world.now(), _to_keep(store, plan)
    legs = store.legs_of(snapshot.requests, lock=True)
    changed = {request for request, ways in legs.items() if any(leg.version != snapshot.versions[leg.id] for leg in ways)}
    known = {(str(leg.request_id), leg.direction): leg for request, ways in legs.items() if request not in changed for leg in ways}
    open_legs = {leg.id: leg for leg in known.values() if leg.state in WAITING_LEG}
    gone = _gone(store, snapshot, plan)
    held_now = [held for held, run in store.assignments_of_day(snapshot.day.date) if run.state != "started"]
    bound = bound_volunteers(store, snapshot.day.date, plan, held_now, open_legs.keys(), known) | gone
    for held in held_now:
        if held.volunteer_id in bound:
            open_legs.pop(held.leg_id, None)
    wanted, late = _rides(plan, open_legs, world.now(), bound)
    ask_now = at_once or not by_hand
    kept = _withdraw(store, list(legs.keys() - changed), wanted, bound, world, say=not ask_now)
    kept |= _release(store, open_legs.values(), wanted if by_hand else {}, bound, world)
    numbers = {ride.run for rides in wanted.values() for ride in rides}
    runs = place_runs(store, snapshot.day.date, plan, numbers, _held(store, snapshot.day.date, plan, known, bound), known, world)
    new: dict[UUID, list[Held]] = {}
    for (_, volunteer), rides in wanted.items():
        new.setdefault(volunteer, []).extend(hold(store, ride, runs, row.id, world) for ride in rides if ride.leg.id not in kept)
    for ways in filter(None, new.values()):
        if ask_now:
            ask(store, ways, offer_minutes, world, again)
        else:
            propose(store, ways, world)
    driven = {ride.leg.id for rides in wanted.values() for ride in rides}
    left = {leg_id: open_legs[leg_id] for leg_id in open_legs.keys() - driven}
    dropped = dict.fromkeys(late | snapshot.late, TOO_LATE) | _taken(plan, known, open_legs, bound, changed | gone)
    _set_aside(store, row, plan, left, dropped, world)
    return bool(changed or gone)


def _gone(store: Store, snapshot: Snapshot, plan: Plan) -> set[UUID]:
    """Planned volunteers who left or were erased meanwhile, are not free any more, have another car, or refuse somebody of theirs."""
    before = {driver.id: driver for driver in snapshot.day.drivers}
    there = {str(row.id) for row in store.active_volunteers() if not _lost_room(row, before.get(str(row.id)))}
    refused = {(str(pair.volunteer_id), str(pair.beneficiary_id)) for pair in store.refusals()}
    refused -= {(driver.id, beneficiary) for driver in snapshot.day.drivers for beneficiary in driver.refuses}
    whose = {request.id: request.beneficiary for request in snapshot.day.requests}
    free = free_spans(store, snapshot.day.date)
    return {
        UUID(run.driver)
        for run in plan.runs
        if run.driver not in there
        or any((run.driver, whose.get(served.request)) in refused for served in run.legs)
        or _taken_back(run, before.get(run.driver), free.get(UUID(run.driver), []))
    }


def _lost_room(row: Volunteer, before: Driver | None) -> bool:
    if before is None:
        return False
    less = row.seats < before.seats or row.boot < before.boot or row.wheelchair_places < before.wheelchair_places
    return less or not set(met_needs(row)).issuperset(before.accepts_needs)


def _taken_back(run: Run, before: Driver | None, free: Sequence[Span]) -> bool:
    """Whether the time of a run was a volunteer's to give, and is not any more."""
    shifts = before.shifts if before else ()
    given = [(datetime.fromisoformat(begins), datetime.fromisoformat(ends)) for begins, ends in shifts]
    return covers(given, run.leaves_home, run.back_home) and not covers(free, run.leaves_home, run.back_home)


def _to_keep(store: Store, plan: Plan) -> dict[str, Any]:
    """The plan as it is kept with its round: without the places of those who were erased while it was made."""
    requests = store.requests({UUID(served.request) for run in plan.runs for served in run.legs})
    erased = store.erased({*(request.beneficiary_id for request in requests.values()), *(UUID(run.driver) for run in plan.runs)})
    about = {str(request.id) for request in requests.values() if request.beneficiary_id in erased}
    return mask_plan(plan.model_dump(mode="json"), about, {str(person) for person in erased})


_Pair = tuple[UUID, UUID]  # request, volunteer


def _rides(plan: Plan, open_legs: Mapping[UUID, Leg], now: datetime, bound: Collection[UUID]) -> tuple[dict[_Pair, list[Ride]], set[UUID]]:
    """What the plan wants of each volunteer for each request, and legs whose planned pickup has passed meanwhile."""
    at = {(str(leg.request_id), leg.direction): leg for leg in open_legs.values()}
    wanted: dict[_Pair, list[Ride]] = {}
    late: set[UUID] = set()
    for number, run in enumerate(plan.runs):
        volunteer = UUID(run.driver)
        for served in run.legs if volunteer not in bound else ():
            leg = at.get((served.request, str(served.leg)))
            if leg is None:
                continue
            if served.told_pickup <= now:
                late.add(leg.id)
                continue
            ride = Ride(
                leg=leg,
                volunteer_id=volunteer,
                run=number,
                told_pickup_at=served.told_pickup,
                pickup_at=served.pickup,
                dropoff_at=served.dropoff,
            )
            wanted.setdefault((leg.request_id, volunteer), []).append(ride)
    return wanted, late


def _withdraw(
    store: Store, requests: Sequence[UUID], wanted: Mapping[_Pair, list[Ride]], bound: Collection[UUID], world: World, *, say: bool
) -> set[UUID]:
    """Withdraw every open offer that the plan does not confirm word for word; the ways whose offer stays.

    A further way for the same volunteer is asked for beside it, unless the request needs one volunteer for both: then both at once.
    `say`: also to those who will be asked again.
    """
    offers = store.offers_of(requests, "sent")
    rows = store.offer_legs([offer.id for offer in offers])
    told = store.active_assignments([row.leg_id for about in rows.values() for row in about])
    together = {request.id for request in store.requests(requests).values() if request.same_driver == "require"}
    kept: set[UUID] = set()
    for offer in offers:
        pair = (offer.request_id, offer.volunteer_id)
        before = {row.leg_id: told[row.leg_id].told_pickup_at for row in rows[offer.id]}
        after = {ride.leg.id: ride.told_pickup_at for ride in wanted.get(pair, [])}
        if before == after or (before.items() < after.items() and offer.request_id not in together):
            kept |= before.keys()
        elif offer.volunteer_id not in bound:
            withdraw_offer(store, offer, world, instead=pair in wanted and not say)
    store.flush()
    return kept


def _release(
    store: Store, open_legs: Iterable[Leg], wanted: Mapping[_Pair, list[Ride]], bound: Collection[UUID], world: World
) -> set[UUID]:
    """Let go what was planned for volunteers who have not been asked, unless it is wanted as it is; the ways that stay."""
    planned = store.active_assignments([leg.id for leg in open_legs if leg.state == "proposed"])
    after = {ride.leg.id: (ride.volunteer_id, ride.told_pickup_at) for rides in wanted.values() for ride in rides}
    kept = {leg_id for leg_id, held in planned.items() if after.get(leg_id) == (held.volunteer_id, held.told_pickup_at)}
    release(store, [leg_id for leg_id, held in planned.items() if leg_id not in kept and held.volunteer_id not in bound], world)
    return kept


def _held(
    store: Store, day: date, plan: Plan, known: Mapping[tuple[str, str], Leg], bound: Collection[UUID]
) -> dict[int, list[Assignment]]:
    """What volunteers go on driving, by number of the plan's run: agreed on before, or asked before and confirmed by the plan."""
    agreed = ((held, run) for held, run in store.assignments_of_day(day) if run.state != "started" and held.volunteer_id not in bound)
    active = {assignment.leg_id: assignment for assignment, _ in agreed}
    held: dict[int, list[Assignment]] = {}
    for number, run in enumerate(plan.runs):
        for served in run.legs:
            leg = known.get((served.request, str(served.leg)))
            assignment = active.get(leg.id) if leg else None
            if assignment is not None and str(assignment.volunteer_id) == run.driver:
                assignment.pickup_at, assignment.dropoff_at = served.pickup, served.dropoff
                held.setdefault(number, []).append(assignment)
    return held


def _taken(
    plan: Plan, known: Mapping[tuple[str, str], Leg], open_legs: Mapping[UUID, Leg], bound: Collection[UUID], changed: Collection[UUID]
) -> dict[UUID, tuple[str, str]]:
    """Legs planned for volunteers who turn out not to be free, with the sentence. If something has changed, the next round looks again."""
    if changed:
        return {}
    dropped = (known.get((served.request, str(served.leg))) for run in plan.runs if UUID(run.driver) in bound for served in run.legs)
    return {leg.id: NOT_FREE for leg in dropped if leg is not None and leg.id in open_legs}


def _set_aside(
    store: Store, row: Round, plan: Plan, open_legs: Mapping[UUID, Leg], dropped: Mapping[UUID, tuple[str, str]], world: World
) -> None:
    """Legs that nobody drives wait on standby, with the reason; later rounds of the day try them again."""
    why = {(found.request, str(found.leg)): (found.reason, *_sentences(found)) for found in plan.unserved}
    for leg in sorted(open_legs.values(), key=lambda leg: leg.id):
        told = (Reason.NO_DRIVER_WINDOW, *dropped[leg.id]) if leg.id in dropped else why.get((str(leg.request_id), leg.direction))
        if told is None:  # meant for somebody who turned out to be taken: open again, for the next round
            if leg.state in ("offered", "proposed"):
                store.move(leg, "pending", world)
            continue
        if leg.state != "standby":
            store.move(leg, "standby", world)
        reason, sentence, sentence_en = told
        texts = {"sentence": sentence, "sentence_en": sentence_en}
        store.add(UnservedLeg(id=world.new_id(), leg_id=leg.id, round_id=row.id, reason=reason.value, **texts))


def _sentences(found: Unserved) -> tuple[str, str]:
    """The reason, and what to ask for where that names no volunteer: his id says nothing to a coordinator, his name is not ours to keep."""
    change = found.smallest_change
    if change is None or change.driver is not None:
        return found.sentence, found.sentence_en
    return f"{found.sentence} {change.sentence}", f"{found.sentence_en} {change.sentence_en}"
