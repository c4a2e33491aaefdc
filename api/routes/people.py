"""Beneficiaries, volunteers, and when volunteers are free."""

from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.auth import CallerOf, own_beneficiary, own_volunteer
from api.deps import PartsOf
from api.once import OnceOf
from api.routes.volunteers import DryRunOf
from api.schemas import AvailabilityOut, BeneficiaryOut, Page, PageOf, VolunteerOut, page_of
from api.versions import IfMatch, check_version, show_version
from api.volunteer_schemas import ChangedVolunteerOut, TouchedOut
from dispatch.errors import Refused
from dispatch.model.finding import PersonQuestion
from dispatch.model.intake import ChangedVolunteer, NewAvailability, NewBeneficiary, NewVolunteer, RowId
from dispatch.service.engagements import change_volunteer as rewrite_volunteer
from dispatch.service.people import add_availability as note_availability
from dispatch.service.people import add_beneficiary, add_volunteer
from dispatch.service.people import change_person as note_change
from dispatch.service.people import search_people as find_people
from dispatch.storage.store import Store
from dispatch.storage.tables import Availability, Beneficiary, Volunteer

router = APIRouter()


class FoundPerson(BaseModel):
    id: UUID
    name: str | None
    phone: str | None


class FoundPeople(BaseModel):
    """People that a search found, by name."""

    items: list[FoundPerson]


PersonOut = TypeVar("PersonOut", BeneficiaryOut, VolunteerOut)


@router.post("/beneficiaries", status_code=201, response_model=BeneficiaryOut, tags=["beneficiaries"])
def create_beneficiary(new: NewBeneficiary, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """File a person who asks for rides. Functional needs only, never a diagnosis."""

    def create() -> BeneficiaryOut:
        return _show(BeneficiaryOut, store, add_beneficiary(store, new, parts.network, parts.world, caller.actor_id))

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, who=store.identity)


@router.get("/beneficiaries", tags=["beneficiaries"])
def list_beneficiaries(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[BeneficiaryOut]:
    """Newest first; a referrer sees whom it entered."""
    mine = {"entered_by": caller.actor_id} if caller.is_referrer else {}
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Beneficiary, page.after, page.limit, **mine)
        who = store.identities(row.id for row in rows)
    parts.note_read(caller, "beneficiary", None, len(rows))
    return page_of(rows, [BeneficiaryOut.of(row, who[row.id]) for row in rows], page)


@router.post("/people/search", tags=["beneficiaries"])
def search_people(question: PersonQuestion, caller: CallerOf, parts: PartsOf) -> FoundPeople:
    """Somebody by name or phone. Posted, because names do not belong into addresses; keeps nothing, so it takes no Idempotency-Key."""
    if question.kind == "volunteer" and not caller.is_staff:
        raise Refused
    with parts.reading(caller.territory_id) as store:
        found = find_people(store, question, caller.actor_id if caller.is_referrer else None)
    parts.note_read(caller, question.kind, None, len(found))
    return FoundPeople(items=[FoundPerson(id=person, name=who.name, phone=who.phone) for person, who in found])


@router.get("/beneficiaries/{beneficiary_id}", tags=["beneficiaries"])
def get_beneficiary(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf, response: Response) -> BeneficiaryOut:
    """One person; the ETag is needed to change the file."""
    with parts.reading(caller.territory_id) as store:
        row = own_beneficiary(caller, store.get(Beneficiary, beneficiary_id))
        show_version(response, row.version)
        found = _show(BeneficiaryOut, store, row)
    parts.note_read(caller, "beneficiary", row.id)
    return found


@router.put("/beneficiaries/{beneficiary_id}", tags=["beneficiaries"])
def change_beneficiary(
    beneficiary_id: RowId, new: NewBeneficiary, caller: CallerOf, parts: PartsOf, response: Response, if_match: IfMatch = None
) -> BeneficiaryOut:
    """Write a person's file anew, whole. Rides that are planned already keep what was known; the next round uses what is new."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = own_beneficiary(caller, store.get(Beneficiary, beneficiary_id))
        check_version(if_match, row.version)
        note_change(store, row, new, parts.network, parts.world)
        show_version(response, row.version)
        return _show(BeneficiaryOut, store, row)


@router.post("/volunteers", status_code=201, response_model=VolunteerOut, tags=["volunteers"])
def create_volunteer(new: NewVolunteer, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """File a volunteer driver and the car."""

    def create() -> VolunteerOut:
        return _show(VolunteerOut, store, add_volunteer(store, new, parts.network, parts.world))

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, who=store.identity)


@router.get("/volunteers", tags=["volunteers"])
def list_volunteers(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[VolunteerOut]:
    """Newest first."""
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Volunteer, page.after, page.limit)
        who = store.identities(row.id for row in rows)
    parts.note_read(caller, "volunteer", None, len(rows))
    return page_of(rows, [VolunteerOut.of(row, who[row.id]) for row in rows], page)


@router.get("/volunteers/{volunteer_id}", tags=["volunteers"])
def get_volunteer(volunteer_id: RowId, caller: CallerOf, parts: PartsOf, response: Response) -> VolunteerOut:
    """One volunteer; the ETag is needed to change the file."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        show_version(response, row.version)
        found = _show(VolunteerOut, store, row)
    parts.note_read(caller, "volunteer", row.id)
    return found


@router.put("/volunteers/{volunteer_id}", tags=["volunteers"])
def change_volunteer(
    volunteer_id: RowId,
    new: ChangedVolunteer,
    caller: CallerOf,
    parts: PartsOf,
    query: DryRunOf,
    response: Response,
    if_match: IfMatch = None,
) -> ChangedVolunteerOut:
    """Write a volunteer's file anew, whole; `active: false` suspends. Rides ahead that do not fit any more are open again (`touched`).

    `dry_run=true`: what would become of it, undone.
    """
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Volunteer, volunteer_id)
        check_version(if_match, row.version)
        touched = rewrite_volunteer(store, row, new, parts.network, parts.world, dry_run=query.dry_run)
        show_version(response, row.version)
        told = VolunteerOut.of(row, store.identity(row.id)).model_dump()
        return ChangedVolunteerOut(**told, touched=[TouchedOut.model_validate(ride) for ride in touched])


@router.post("/volunteers/{volunteer_id}/availability", status_code=201, response_model=AvailabilityOut, tags=["volunteers"])
def add_availability(volunteer_id: RowId, new: NewAvailability, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """A span in which the volunteer may be away from home to drive."""

    def create() -> AvailabilityOut:
        row = note_availability(store, own_volunteer(caller, volunteer_id), new, parts.world)
        store.note_access("changed", "volunteer", volunteer_id, 1, parts.world)
        return AvailabilityOut.model_validate(row)

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create)


@router.get("/volunteers/{volunteer_id}/availability", tags=["volunteers"])
def list_availability(volunteer_id: RowId, caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[AvailabilityOut]:
    """Latest first."""
    with parts.reading(caller.territory_id) as store:
        store.get(Volunteer, own_volunteer(caller, volunteer_id))
        rows = store.page(Availability, page.after, page.limit, volunteer_id=volunteer_id)
        found = [AvailabilityOut.model_validate(row) for row in rows]
    parts.note_read(caller, "volunteer", volunteer_id)
    return page_of(rows, found, page)


def _show(model: type[PersonOut], store: Store, row: Beneficiary | Volunteer) -> PersonOut:
    return model.of(row, store.identity(row.id))
