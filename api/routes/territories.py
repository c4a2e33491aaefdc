"""Territories: an admin makes them, and changes them as their managers do; everybody else sees their own."""

from fastapi import APIRouter, Response

from api.auth import CallerOf, own_territory
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import Page, PageOf, TerritoryOut, page_of
from api.versions import IfMatch, check_version, show_version
from dispatch.errors import Refused
from dispatch.model.intake import ChangedTerritory, NewTerritory, RowId
from dispatch.service.people import change_territory as note_change
from dispatch.service.people import make_territory
from dispatch.storage.registry import Registry

router = APIRouter(prefix="/territories", tags=["territories"])


@router.post("", status_code=201, response_model=TerritoryOut)
def create_territory(new: NewTerritory, parts: PartsOf, once: OnceOf) -> Response:
    """A new territory: a group of municipalities with its own people and rules."""
    with parts.database.write() as session:
        return once.answer(session, 201, lambda: TerritoryOut.model_validate(make_territory(Registry(session), new, parts.world)))


@router.get("")
def list_territories(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[TerritoryOut]:
    """All of them for an admin, one's own otherwise; oldest first."""
    with parts.database.read() as session:
        rows = Registry(session).page_of_territories(caller.territory_id, page.after, page.limit)
        return page_of(rows, [TerritoryOut.model_validate(row) for row in rows], page)


@router.get("/{territory_id}")
def get_territory(territory_id: RowId, caller: CallerOf, parts: PartsOf, response: Response) -> TerritoryOut:
    """One territory and its choices; the ETag is needed to change them."""
    with parts.database.read() as session:
        row = Registry(session).territory(own_territory(caller, territory_id))
        show_version(response, row.version)
        return TerritoryOut.model_validate(row)


@router.put("/{territory_id}")
def change_territory(
    territory_id: RowId, new: ChangedTerritory, caller: CallerOf, parts: PartsOf, response: Response, if_match: IfMatch = None
) -> TerritoryOut:
    """Write a territory's choices anew, whole. Rounds that begin from now on follow them."""
    with parts.database.write() as session:
        registry = Registry(session)
        row = registry.territory(own_territory(caller, territory_id))
        check_version(if_match, row.version)
        if caller.role != "admin" and new.queue != row.queue:
            raise Refused("Only an admin gives a territory to other workers: leave queue as it is.")
        note_change(registry, row, new)
        show_version(response, row.version)
        return TerritoryOut.model_validate(row)
