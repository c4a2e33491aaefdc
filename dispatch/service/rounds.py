"""Rounds as the database sees them: queued, claimed with a snapshot, saved as offers, or failed.

In: dates, plans. Out: rows. The plan itself is made by `dispatch.engine`. Called by the engine and the API; the caller commits.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from dispatch.errors import BadInput, Fault
from dispatch.model.lifecycle import INITIAL, move
from dispatch.model.plans import Plan, Reason, Unserved
from dispatch.service.day import WAITING, Snapshot, make_snapshot
from dispatch.service.offers import Ride, send_offer, withdraw_offer
from dispatch.storage.store import Store
from dispatch.storage.tables import Leg, Round, UnservedLeg
from dispatch.world import World

OVERTAKEN = "overtaken"
TOO_LATE = ("L'heure de ce trajet est passée, ou trop proche.", "The time of this ride has passed, or is too near.")


def enqueue_round(store: Store, service_date: date, seconds: float, seed: int, world: World) -> Round:
    """Ask for a day to be planned; the round that already waits for this day, if there is one."""
    age = (world.now().date() - service_date).days
    if not -400 <= age <= 1:
        raise BadInput([Fault("date", "out_of_range", "must be today or one of the next 400 days")])
    row = Round(id=world.new_id(), service_date=service_date, state=INITIAL["round"], seconds=seconds, seed=seed, queued_at=world.now())
    waiting = store.queued_round(service_date)
    if waiting is None and not store.add_unless_there(row):
        waiting = store.queued_round(service_date)
    return waiting or row


def claim_round(store: Store, round_id: UUID, world: World) -> Snapshot:
    """Take a queued round for oneself; IllegalMove or Conflict when somebody else was quicker."""
    row = store.get(Round, round_id)
    row.state, row.started_at = move("round", row.state, "running"), world.now()
    store.flush()
    return make_snapshot(store, row.id, row.service_date, row.seconds, row.seed, world.now())


def fail_round(store: Store, round_id: UUID, why: str, world: World, plan: Plan | None = None) -> None:
    """A round that came to nothing: what people were told before stands."""
    row = store.get(Round, round_id)
    row.state, row.failure, row.finished_at = move("round", row.state, "failed"), why, world.now()
    row.plan = plan.model_dump(mode="json") if plan else None
    store.flush()


def save_round(store: Store, snapshot: Snapshot, plan: Plan, offer_minutes: int, world: World) -> bool:
    """Turn a proved plan into offers.

    Requests that changed since the snapshot are left alone; True when there are any: the day should be planned again.
    Offers that the plan confirms stay as they are; the others are withdrawn before new ones are made. What volunteers accepted
    is never touched.
    """
    row = store.get(Round, snapshot.round_id)
    row.state, row.finished_at, row.plan = move("round", row.state, "done"), world.now(), plan.model_dump(mode="json")
    legs = store.legs_of(snapshot.requests)
    changed = {request for request, ways in legs.items() if any(leg.version != snapshot.versions[leg.id] for leg in ways)}
    open_legs = {leg.id: leg for request, ways in legs.items() if request not in changed for leg in ways if leg.state in WAITING}
    wanted, too_late = _rides(plan, open_legs, world.now())
    kept = _release(store, list(legs.keys() - changed), wanted, world)
    for rides in (rides for pair, rides in wanted.items() if pair not in kept):
        send_offer(store, rides, row.id, offer_minutes, world)
    _set_aside(store, row, plan, open_legs, too_late | snapshot.late, world)
    return bool(changed)


_Pair = tuple[UUID, UUID]  # request, volunteer


def _rides(plan: Plan, open_legs: Mapping[UUID, Leg], now: datetime) -> tuple[dict[_Pair, list[Ride]], set[UUID]]:
    """What the plan wants of each volunteer for each request, and legs whose planned pickup has passed meanwhile."""
    at = {(str(leg.request_id), leg.direction): leg for leg in open_legs.values()}
    wanted: dict[_Pair, list[Ride]] = {}
    late: set[UUID] = set()
    for run in plan.runs:
        for served in run.legs:
            leg = at.get((served.request, str(served.leg)))
            if leg is None:
                continue
            if served.told_pickup <= now:
                late.add(leg.id)
                continue
            volunteer = UUID(run.driver)
            ride = Ride(
                leg=leg,
                volunteer_id=volunteer,
                told_pickup_at=served.told_pickup,
                pickup_at=served.pickup,
                dropoff_at=served.dropoff,
            )
            wanted.setdefault((leg.request_id, volunteer), []).append(ride)
    return wanted, late


def _release(store: Store, requests: Sequence[UUID], wanted: Mapping[_Pair, list[Ride]], world: World) -> set[_Pair]:
    """Withdraw every open offer that the plan does not confirm word for word; the pairs whose offer stays."""
    offers = store.offers_of(requests, "sent")
    rows = store.offer_legs([offer.id for offer in offers])
    told = store.active_assignments([row.leg_id for about in rows.values() for row in about])
    kept: set[_Pair] = set()
    for offer in offers:
        pair = (offer.request_id, offer.volunteer_id)
        before = {row.leg_id: told[row.leg_id].told_pickup_at for row in rows[offer.id]}
        if before == {ride.leg.id: ride.told_pickup_at for ride in wanted.get(pair, [])}:
            kept.add(pair)
            for ride in wanted[pair]:
                told[ride.leg.id].pickup_at, told[ride.leg.id].dropoff_at = ride.pickup_at, ride.dropoff_at
        else:
            withdraw_offer(store, offer, world)
    store.flush()
    return kept


def _set_aside(store: Store, row: Round, plan: Plan, open_legs: Mapping[UUID, Leg], late: set[UUID], world: World) -> None:
    """Legs that nobody drives wait on standby, with the reason; later rounds of the day try them again."""
    why = {(found.request, str(found.leg)): (found.reason, *_sentences(found)) for found in plan.unserved}
    for leg in open_legs.values():
        told = (Reason.NO_DRIVER_WINDOW, *TOO_LATE) if leg.id in late else why.get((str(leg.request_id), leg.direction))
        if told is None:
            continue
        if leg.state != "standby":
            leg.state = move("leg", leg.state, "standby")
        reason, sentence, sentence_en = told
        texts = {"sentence": sentence, "sentence_en": sentence_en}
        store.add(UnservedLeg(id=world.new_id(), leg_id=leg.id, round_id=row.id, reason=reason.value, **texts))


def _sentences(found: Unserved) -> tuple[str, str]:
    """The reason, and what to ask for where that names no volunteer: his id says nothing to a coordinator, his name is not ours to keep."""
    change = found.smallest_change
    if change is None or change.driver is not None:
        return found.sentence, found.sentence_en
    return f"{found.sentence} {change.sentence}", f"{found.sentence_en} {change.sentence_en}"
