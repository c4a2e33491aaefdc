"""The proposal of a day: looked at by a coordinator before volunteers are asked, where the territory sends by hand.

In: a day, for who coordinates. Out: a page; sending goes to the API (`POST /v1/days/…/send`).
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.pages.day import proof_of
from api.pages.visit import VisitOf
from dispatch.model.clock import ServiceDate
from dispatch.service.people import rules_of
from dispatch.service.proposal import Proposal, view_proposal
from dispatch.storage.store import Store

router = APIRouter(prefix="/day", include_in_schema=False)


@router.get("/{date}/proposal")
def show_proposal(date: ServiceDate, visit: VisitOf) -> HTMLResponse:
    """Who would be asked about what, why, and what it comes to."""
    with visit.reading() as store:
        territory, found = store.territory(), view_proposal(store, date)
        by_hand = rules_of(territory).offers.sending == "by_hand"
        names, proof = _names(store, found), proof_of(store.newest_round(date))
    people = {way.beneficiary.id for question in found.questions for way in (*question.new, *question.held)}
    visit.parts.note_read(visit.caller, "beneficiary", None, len(people | {way.beneficiary.id for way in found.left}))
    shown: dict[str, Any] = {"date": date, "proposal": found, "by_hand": by_hand, "names": names, "proof": proof}
    return visit.page("day/proposal.html", territory, **shown)


def _names(store: Store, found: Proposal) -> dict[UUID, str]:
    """Of volunteers: who would be asked, and who people were told of before."""
    volunteers = {lane.volunteer_id: lane.identity for lane in found.view.lanes}
    volunteers |= store.identities({told.volunteer_id for told in found.told.values()} - volunteers.keys())
    return {volunteer: who.name or "" for volunteer, who in volunteers.items()}
