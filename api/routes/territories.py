"""Territories: an admin makes them; everybody else sees their own."""

from fastapi import APIRouter, Response

from api.auth import CallerOf
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import Page, PageOf, TerritoryOut, page_of
from dispatch.model.intake import NewTerritory
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
