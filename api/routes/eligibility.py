"""Whether a person may ask for rides: what is written in the file, by those who coordinate."""

from fastapi import APIRouter, Response

from api.auth import CallerOf
from api.deps import PartsOf
from api.schemas_eligibility import StandingOut
from api.versions import IfMatch, check_version, show_version
from dispatch.model.eligibility import NewEligibility
from dispatch.model.intake import RowId
from dispatch.service import eligibility
from dispatch.storage.tables import Beneficiary

router = APIRouter(prefix="/beneficiaries/{beneficiary_id}/eligibility", tags=["beneficiaries"])


@router.get("")
def get_eligibility(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf, response: Response) -> StandingOut:
    """Whether somebody may ask for rides; the ETag, which is that of the file, is needed to change it."""
    with parts.reading(caller.territory_id) as store:
        row = store.get(Beneficiary, beneficiary_id)
        show_version(response, row.version)
        found = StandingOut.of(eligibility.standing_of(store, row, parts.world))
    parts.note_read(caller, "beneficiary", row.id)
    return found


@router.put("")
def change_eligibility(
    beneficiary_id: RowId, new: NewEligibility, caller: CallerOf, parts: PartsOf, response: Response, if_match: IfMatch = None
) -> StandingOut:
    """Write it anew, whole. Accepted rides stay, whatever it covers (`rides_beyond`); dates of series that it covers now are asked for."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Beneficiary, beneficiary_id)
        check_version(if_match, row.version)
        found = StandingOut.of(eligibility.write_eligibility(store, row, new, caller.actor_id, parts.world))
        show_version(response, row.version)
        return found


@router.delete("", status_code=204)
def withdraw_eligibility(beneficiary_id: RowId, caller: CallerOf, parts: PartsOf, if_match: IfMatch = None) -> Response:
    """Nothing is written any more: in a territory that asks for eligibility, the person cannot ask for rides. Accepted ones stay."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Beneficiary, beneficiary_id)
        check_version(if_match, row.version)
        eligibility.withdraw_eligibility(store, row, parts.world)
    return Response(status_code=204)
