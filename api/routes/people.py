"""Beneficiaries, volunteers, and when volunteers are free."""

from uuid import UUID

from fastapi import APIRouter, Response

from api.auth import CallerOf, own_beneficiary, own_volunteer
from api.deps import PartsOf
from api.schemas import AvailabilityOut, BeneficiaryOut, Page, PageOf, VolunteerOut, page_of
from dispatch.model.intake import NewAvailability, NewBeneficiary, NewVolunteer
from dispatch.service.people import add_availability as note_availability
from dispatch.service.people import add_beneficiary, add_volunteer
from dispatch.service.people import refuse_pair as note_refusal
from dispatch.storage.tables import Availability, Beneficiary, Volunteer

router = APIRouter()


@router.post("/beneficiaries", status_code=201, tags=["beneficiaries"])
def create_beneficiary(new: NewBeneficiary, caller: CallerOf, parts: PartsOf) -> BeneficiaryOut:
    """File a person who asks for rides. Functional needs only, never a diagnosis."""
    with parts.writing(caller.territory_id) as store:
        return BeneficiaryOut.model_validate(add_beneficiary(store, new, parts.network, parts.world, caller.key_id))


@router.get("/beneficiaries", tags=["beneficiaries"])
def list_beneficiaries(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[BeneficiaryOut]:
    """Newest first; a partner sees whom it entered."""
    mine = {"entered_by": caller.key_id} if caller.role == "partner" else {}
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Beneficiary, page.after, page.limit, **mine)
        return page_of(rows, [BeneficiaryOut.model_validate(row) for row in rows], page)


@router.get("/beneficiaries/{beneficiary_id}", tags=["beneficiaries"])
def get_beneficiary(beneficiary_id: UUID, caller: CallerOf, parts: PartsOf) -> BeneficiaryOut:
    """One person."""
    with parts.reading(caller.territory_id) as store:
        return BeneficiaryOut.model_validate(own_beneficiary(caller, store.get(Beneficiary, beneficiary_id)))


@router.post("/volunteers", status_code=201, tags=["volunteers"])
def create_volunteer(new: NewVolunteer, caller: CallerOf, parts: PartsOf) -> VolunteerOut:
    """File a volunteer driver and the car."""
    with parts.writing(caller.territory_id) as store:
        return VolunteerOut.model_validate(add_volunteer(store, new, parts.network, parts.world))


@router.get("/volunteers", tags=["volunteers"])
def list_volunteers(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[VolunteerOut]:
    """Newest first."""
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Volunteer, page.after, page.limit)
        return page_of(rows, [VolunteerOut.model_validate(row) for row in rows], page)


@router.get("/volunteers/{volunteer_id}", tags=["volunteers"])
def get_volunteer(volunteer_id: UUID, caller: CallerOf, parts: PartsOf) -> VolunteerOut:
    """One volunteer."""
    with parts.reading(caller.territory_id) as store:
        return VolunteerOut.model_validate(store.get(Volunteer, own_volunteer(caller, volunteer_id)))


@router.post("/volunteers/{volunteer_id}/availability", status_code=201, tags=["volunteers"])
def add_availability(volunteer_id: UUID, new: NewAvailability, caller: CallerOf, parts: PartsOf) -> AvailabilityOut:
    """A span in which the volunteer may be away from home to drive."""
    with parts.writing(caller.territory_id) as store:
        return AvailabilityOut.model_validate(note_availability(store, own_volunteer(caller, volunteer_id), new, parts.world))


@router.get("/volunteers/{volunteer_id}/availability", tags=["volunteers"])
def list_availability(volunteer_id: UUID, caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[AvailabilityOut]:
    """Latest first."""
    with parts.reading(caller.territory_id) as store:
        store.get(Volunteer, own_volunteer(caller, volunteer_id))
        rows = store.page(Availability, page.after, page.limit, volunteer_id=volunteer_id)
        return page_of(rows, [AvailabilityOut.model_validate(row) for row in rows], page)


@router.put("/volunteers/{volunteer_id}/refusals/{beneficiary_id}", status_code=204, tags=["volunteers"])
def refuse_pair(volunteer_id: UUID, beneficiary_id: UUID, caller: CallerOf, parts: PartsOf) -> Response:
    """These two are not put into one car any more; which of them asked is not kept."""
    with parts.writing(caller.territory_id) as store:
        note_refusal(store, volunteer_id, beneficiary_id)
    return Response(status_code=204)
