"""Territories, beneficiaries, volunteers and when they are free. One function per use case; the caller commits.

In: what somebody told us (`model.intake`). Out: rows. Called by the API and the demo.
"""

from dataclasses import fields
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch.errors import BadInput, Conflict, Fault, NotFound
from dispatch.model.clock import day_length_s, day_start
from dispatch.model.day import Policy
from dispatch.model.finding import PersonQuestion
from dispatch.model.intake import (
    ChangedTerritory,
    ChangedVolunteer,
    NewAvailability,
    NewBeneficiary,
    NewTerritory,
    NewVolunteer,
)
from dispatch.model.lifecycle import INITIAL
from dispatch.model.rules import Rules
from dispatch.model.volunteering import NewTie
from dispatch.rules.availability import MOST_SPANS
from dispatch.service.accounts import end_logins
from dispatch.service.places import check_on_roads
from dispatch.storage.accounts import Accounts
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Beneficiary, Refusal, Territory, Tie, Volunteer
from dispatch.storage.vault import Identity
from dispatch.storage.volunteer_tables import Engagement
from dispatch.world import World
from routing.network import RoadNetwork
from routing.places.words import plain

_EVERYBODY = 100_000
MOST_TIES = 300  # of a volunteer: with those driven of late they fit into a day's list
_ENOUGH_DIGITS = 4
IDENTITY = {field.name for field in fields(Identity)}


def make_territory(registry: Registry, new: NewTerritory, world: World, note: str = "") -> Territory:
    """A new territory; Conflict when the name is taken."""
    if registry.territory_named(new.name) is not None:
        raise Conflict("A territory of this name exists already.")
    row = Territory(
        id=world.new_id(),
        **new.model_dump(mode="json"),
        note=note,
        created_at=world.now(),
    )
    registry.add(row)
    return row


def change_territory(registry: Registry, row: Territory, new: ChangedTerritory) -> None:
    """Write its choices anew. Conflict when the name is another one's, Stale when somebody else changed it at this very moment."""
    named = registry.territory_named(new.name)
    if named is not None and named.id != row.id:
        raise Conflict("A territory of this name exists already.")
    registry.change(row, new.model_dump(mode="json"))


def policy_of(territory: Territory) -> Policy:
    """The territory's choices; those added since it was made take their default."""
    return Policy.model_validate(territory.policy)


def rules_of(territory: Territory) -> Rules:
    """How the territory deals with people; rules added since it was made take their default."""
    return Rules.model_validate(territory.rules, strict=False)


def add_beneficiary(store: Store, new: NewBeneficiary, network: RoadNetwork, world: World, entered_by: UUID | None = None) -> Beneficiary:
    """File a person who asks for rides."""
    _check_home(store, new.home, network)
    given = new.model_dump(exclude={"needs", "consent", *IDENTITY})
    row = Beneficiary(id=world.new_id(), **given, needs=list(new.needs), entered_by=entered_by, created_at=world.now())
    store.add_person(row, _identity(new))
    _note_consent(store, row, new, world)
    store.note_access("made", row.__tablename__, row.id, 1, world)
    return row


def _note_consent(store: Store, row: Beneficiary, new: NewBeneficiary, world: World) -> None:
    if new.consent is not None:
        store.add_consent(row.id, new.consent, world)


def add_volunteer(store: Store, new: NewVolunteer, network: RoadNetwork, world: World) -> Volunteer:
    """File a volunteer driver: an application, or active at once."""
    _check_home(store, new.home, network)
    given = new.model_dump(exclude={"accepts_needs", "apply", *IDENTITY})
    row = Volunteer(id=world.new_id(), **given, accepts_needs=list(new.accepts_needs), active=False, created_at=world.now())
    store.add_person(row, _identity(new))
    store.add(Engagement(id=row.id, state=INITIAL["engagement"]))
    for step in () if new.apply else ("vetting", "active"):
        store.engage(row, step, world)
    store.note_access("made", row.__tablename__, row.id, 1, world)
    return row


def search_people(store: Store, question: PersonQuestion, entered_by: UUID | None = None) -> list[tuple[UUID, Identity]]:
    """People whose name has every word of the question, or whose phone ends with its digits; those entered by somebody alone, if said.

    Names are sealed, so that each is opened: some milliseconds for a thousand people. Erased people are not found.
    """
    mine = {} if entered_by is None else {"entered_by": entered_by}
    rows = store.page(Beneficiary, None, _EVERYBODY, **mine) if question.kind == "beneficiary" else store.page(Volunteer, None, _EVERYBODY)
    who = store.identities([row.id for row in rows])
    words, digits = plain(question.text), "".join(filter(str.isdigit, question.text))
    found = []
    for person_id, identity in who.items():
        parts = plain(identity.name or "")
        named = bool(words) and all(any(part.startswith(word) for part in parts) for word in words)
        dialled = len(digits) >= _ENOUGH_DIGITS and (identity.phone or "").endswith(digits.removeprefix("0"))
        if named or dialled:
            found.append((person_id, identity))
    return sorted(found, key=lambda one: (one[1].name or "", one[0]))[: question.limit]


def change_person(
    store: Store, row: Beneficiary | Volunteer, new: NewBeneficiary | ChangedVolunteer, network: RoadNetwork, world: World
) -> None:
    """Write a file anew, whole; a volunteer who is not active any more is logged out. Stale when somebody else changed it meanwhile.

    Volunteers are changed through `service.engagements`, which sees to `active` and to rides.
    """
    if new.home != row.home:
        _check_home(store, new.home, network)
    lists = {name: list(getattr(new, name)) for name in ("needs", "accepts_needs") if hasattr(new, name)}
    store.change(row, new.model_dump(exclude={"active", "consent", *IDENTITY}) | lists)
    store.identify(row.id, _identity(new))
    if isinstance(row, Beneficiary) and isinstance(new, NewBeneficiary):
        _note_consent(store, row, new, world)
    store.note_access("changed", row.__tablename__, row.id, 1, world)
    if isinstance(new, ChangedVolunteer) and not new.active:
        end_logins(Accounts(store.session), store, row.id, world)


def add_availability(store: Store, volunteer_id: UUID, new: NewAvailability, world: World) -> Availability:
    """Note a span in which a volunteer may be asked; Conflict when it overlaps another one, BadInput for too many of one day."""
    store.hold_person(store.get(Volunteer, volunteer_id))
    if new.ends_at <= world.now():
        raise BadInput([Fault("ends_at", "past", "is in the past")])
    zone = store.territory().timezone
    day = new.starts_at.astimezone(ZoneInfo(zone)).date()
    start = day_start(day, zone)
    if store.spans_between(volunteer_id, start, start + timedelta(seconds=day_length_s(day, zone))) >= MOST_SPANS:
        raise BadInput([Fault("starts_at", "too_many", f"is on a day that has {MOST_SPANS} spans already: join some of them")])
    if store.overlapping(volunteer_id, new.starts_at, new.ends_at):
        raise Conflict("This overlaps a span that was given before.")
    row = Availability(id=world.new_id(), volunteer_id=volunteer_id, **new.model_dump(), created_at=world.now())
    store.add(row)
    return row


def refuse_pair(store: Store, volunteer_id: UUID, beneficiary_id: UUID) -> None:
    """These two do not ride together from now on; which of them asked is not kept. Said twice is said once."""
    store.get(Volunteer, volunteer_id)
    store.get(Beneficiary, beneficiary_id)
    if not any((r.volunteer_id, r.beneficiary_id) == (volunteer_id, beneficiary_id) for r in store.refusals()):
        store.add(Refusal(volunteer_id=volunteer_id, beneficiary_id=beneficiary_id))
    store.untie(volunteer_id, beneficiary_id)


def tie_pair(store: Store, volunteer_id: UUID, beneficiary_id: UUID, new: NewTie) -> Tie:
    """The person prefers this volunteer, or the volunteer knows the person well; what was said of the pair before is written anew.

    Conflict for a pair that does not ride together, and for a volunteer of whom this was said so often that it says nothing.
    """
    store.hold_person(store.get(Volunteer, volunteer_id))
    if store.person_as_is(store.get(Beneficiary, beneficiary_id).id) is None:
        raise NotFound
    if beneficiary_id in store.refusals_of(volunteer_id):
        raise Conflict("These two do not ride together: lift that first.")
    there = {tie.beneficiary_id: tie for tie in store.ties(volunteer_id=volunteer_id)}
    if beneficiary_id in there:
        row = there[beneficiary_id]
        row.preferred, row.known = new.preferred, new.known
        store.flush()
        return row
    if len(there) >= MOST_TIES:
        raise Conflict(f"A volunteer is preferred by, or knows, {MOST_TIES} people at most: take somebody off first.")
    row = Tie(volunteer_id=volunteer_id, beneficiary_id=beneficiary_id, **new.model_dump())
    store.add(row)
    return row


def _identity(new: NewBeneficiary | NewVolunteer | ChangedVolunteer) -> Identity:
    return Identity(**new.model_dump(include=IDENTITY))


def _check_home(store: Store, home: tuple[float, float], network: RoadNetwork) -> None:
    check_on_roads(network, policy_of(store.territory()).snap_limit_metres, {"home": home})
