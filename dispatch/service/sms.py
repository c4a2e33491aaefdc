"""What people answer by SMS: yes or no to an offer, a ride that is not wanted any more, no SMS at all; the rest is for a human.

In: an SMS that a gateway passes on. Out: what became of it, and what its sender is told. Called by the API; the caller commits.
Whoever writes is known by the number; the four digits say what it is about, and may be left out when there is only one thing to answer.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from dispatch.errors import Conflict
from dispatch.model.asking import Direction
from dispatch.model.contact import dialled
from dispatch.model.intake import Cancel
from dispatch.model.lifecycle import OVER_LEG, WANTED_REQUEST
from dispatch.model.sms import FOR_A_HUMAN, IncomingSms, Said, SmsOutcome, read_sms
from dispatch.notices.links import answer_code
from dispatch.notices.outbox import queue_notice
from dispatch.service.asking import bundle_of
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.trips import cancel_trip, moment_of
from dispatch.storage.sms import SmsIn
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Leg, Offer, TripRequest, Volunteer
from dispatch.world import World

_ENDED = {"accepted": "yes", "declined": "no"}
CANCELLED = ("cancelled", "late_cancelled")


@dataclass(frozen=True, slots=True)
class SmsView:
    """An SMS, from which number, in which words; both only as long as somebody has to read them."""

    row: SmsIn
    sender: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class _Done:
    """What an SMS came to."""

    outcome: SmsOutcome
    person_id: UUID | None = None
    about: UUID | None = None


def receive_sms(store: Store, sms: IncomingSms, world: World) -> SmsIn:
    """Do what an SMS says, once however often it is delivered; what cannot be read is kept for the coordinators."""
    if (known := store.sms_known(sms.message_id)) is not None:
        return known
    row_id = world.new_id()
    told = {"message_id": sms.message_id, "received_at": world.now(), "outcome": "unclear"}
    row = SmsIn(id=row_id, sealed=store.seal_sms(row_id, sms.sender, sms.text), **told)
    if not store.add_unless_there(row):
        known = store.sms_known(sms.message_id)
        if known is None:
            raise Conflict
        return known
    number = dialled(sms.sender)
    volunteers, people = store.people_at(number) if number else ([], [])
    done = _act(store, read_sms(sms.text), volunteers, people, world)
    row.outcome, row.person_id, row.about = done.outcome, done.person_id, done.about
    if done.outcome not in FOR_A_HUMAN:
        row.sealed, row.settled_at = None, world.now()
    store.flush()
    _answer(store, row, world)
    return row


def settle_sms(store: Store, sms_id: UUID, world: World) -> SmsIn:
    """A coordinator has read it: the words are not kept any longer. Conflict when that was so before."""
    row = store.sms(sms_id)
    if row.settled_at is not None:
        raise Conflict("Somebody has read this already.")
    row.sealed, row.settled_at = None, world.now()
    store.flush()
    return row


def show_sms(store: Store, rows: Sequence[SmsIn]) -> list[SmsView]:
    """With their words."""
    return [SmsView(row, *store.open_sms(row)) for row in rows]


def _act(store: Store, said: Said | None, volunteers: Sequence[Volunteer], people: Sequence[Beneficiary], world: World) -> _Done:
    ids = [*(row.id for row in volunteers), *(row.id for row in people)]
    if not ids:
        return _Done("stranger")
    one = ids[0] if len(ids) == 1 else None
    if said is None:
        return _Done("unclear", one)
    if said.word in ("stop", "start"):
        store.stop_sms(ids, world.now() if said.word == "stop" else None)
        return _Done("stopped" if said.word == "stop" else "started", one)
    if said.word == "cancel":
        return _cancel(store, said, people, world) if people else _Done("unclear", one)
    return _reply(store, said, volunteers, world) if volunteers else _Done("unclear", one)


def _reply(store: Store, said: Said, volunteers: Sequence[Volunteer], world: World) -> _Done:
    """Yes or no to the one question that is meant: to all of it that still waits for an answer."""
    one = volunteers[0].id if len(volunteers) == 1 else None
    offers = [offer for volunteer in volunteers for offer in store.offers_to(volunteer.id)]
    waiting = [offer for offer in offers if offer.state == "sent" and offer.expires_at > world.now()]
    if said.code is not None:
        meant = [offer for offer in offers if answer_code(store.vault, bundle_of(offer)) == said.code]
        offers, waiting = meant, [offer for offer in waiting if offer in meant]
        if not waiting and meant:
            return _ended(max(meant, key=lambda offer: offer.sent_at), said)
    if len({bundle_of(offer) for offer in waiting}) != 1:
        return _Done("which_one" if waiting else "nothing_open", one)
    offer = waiting[0]
    with suppress(Conflict), store.attempt():
        for part in waiting:
            if said.word == "yes":
                accept_offer(store, part, world, "sms")
            else:
                decline_offer(store, part, said.reason or "other", world, "sms")
        return _Done("accepted" if said.word == "yes" else "declined", offer.volunteer_id, offer.id)
    return _Done("too_late", offer.volunteer_id, offer.id)  # answered or withdrawn at this very moment


def _ended(offer: Offer, said: Said) -> _Done:
    """An offer that cannot be answered any more: was it answered in the same way, or has it gone to somebody else?"""
    same = _ENDED.get(offer.state) == said.word
    return _Done("said_before" if same else "too_late", offer.volunteer_id, offer.id)


def _cancel(store: Store, said: Said, people: Sequence[Beneficiary], world: World) -> _Done:
    """A ride to come that is not wanted any more."""
    one = people[0].id if len(people) == 1 else None
    requests = [request for person in people for request in store.requests_for(person.id)]
    ways = store.legs_of([request.id for request in requests])
    meant: list[tuple[TripRequest, Leg | None]] = [(request, None) for request in requests]
    if said.code is not None:  # of a request, or of one of its ways
        meant += [(request, leg) for request in requests for leg in ways[request.id]]
        meant = [(request, leg) for request, leg in meant if answer_code(store.vault, (leg or request).id) == said.code]
    coming = [(request, leg) for request, leg in meant if _is_to_come(request, [leg] if leg else ways[request.id], world)]
    if len(coming) != 1:
        over = [request for request, leg in meant if all(way.state in CANCELLED for way in ([leg] if leg else ways[request.id]))]
        if said.code is not None and not coming and over:
            return _Done("said_before", over[-1].beneficiary_id, over[-1].id)
        return _Done("which_one" if coming else "nothing_open", one)
    [(request, leg)] = coming
    with suppress(Conflict), store.attempt():
        which: Direction | None = None if leg is None else "return" if leg.direction == "return" else "outbound"
        cancel_trip(store, request, world, Cancel(reason="other", leg=which))
        return _Done("cancelled", request.beneficiary_id, request.id)
    return _Done("too_late", request.beneficiary_id, request.id)  # somebody is in the car


def _is_to_come(request: TripRequest, ways: Sequence[Leg], world: World) -> bool:
    """Something of it is still wanted, and its last moment has not passed."""
    if request.state not in WANTED_REQUEST or (request.return_after or moment_of(request)) <= world.now():
        return False
    return any(leg.state not in OVER_LEG for leg in ways)


def _answer(store: Store, row: SmsIn, world: World) -> None:
    """Tell its sender what became of it. Of what nobody understands once an hour: two machines would write to each other for ever.

    A cancelled ride is confirmed by `cancel_trip`; a stranger's number is not written to.
    """
    if row.person_id is None or row.outcome in ("stranger", "cancelled"):
        return
    hour = world.now().strftime("%Y-%m-%d %H")
    key = f"sms {row.person_id.hex} {hour}" if row.outcome in FOR_A_HUMAN else f"sms {row.id.hex}"
    queue_notice(store, "sms_answered", row.person_id, row.about or row.id, world, facts={"reason": f"sms_{row.outcome}"}, key=key)
