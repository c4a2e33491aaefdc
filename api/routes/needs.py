"""The catalogue of needs, the same for every territory (docs/needs.md)."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import CallerOf
from api.schemas import Page
from dispatch.model.needs import NEEDS

router = APIRouter(tags=["beneficiaries"])


class NeedOut(BaseModel):
    need: str
    label: str
    label_en: str


@router.get("/needs")
def list_needs(caller: CallerOf) -> Page[NeedOut]:
    """What may be in `needs` and `accepts_needs`, with names in French and English."""
    return Page[NeedOut](items=[NeedOut(need=need, label=label, label_en=english) for need, (label, english) in NEEDS.items()], next=None)
