"""The catalogue of needs, the same for every territory (docs/needs.md); and needs for rides that nobody met."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import CallerOf
from api.deps import PartsOf
from api.schemas import Page, PageOf, UnmetNeedOut, page_of
from dispatch.model.needs import NEEDS
from dispatch.storage.tables import UnmetNeed

router = APIRouter(tags=["beneficiaries"])
unmet = APIRouter(prefix="/unmet-needs", tags=["trip requests"])


class NeedOut(BaseModel):
    need: str
    label: str
    label_en: str


@router.get("/needs")
def list_needs(caller: CallerOf) -> Page[NeedOut]:
    """What may be in `needs` and `accepts_needs`, with names in French and English."""
    return Page[NeedOut](items=[NeedOut(need=need, label=label, label_en=english) for need, (label, english) in NEEDS.items()], next=None)


@unmet.get("")
def list_unmet_needs(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[UnmetNeedOut]:
    """Ways that somebody asked for and nobody drove, newest first: where about, when, what for, why. They name nobody."""
    with parts.reading(caller.territory_id) as store:
        rows = store.page(UnmetNeed, page.after, page.limit)
        return page_of(rows, [UnmetNeedOut.model_validate(row) for row in rows], page)
