"""What happened and who looked: the logs of a territory, which nobody can rewrite (docs/audit.md)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.auth import CallerOf
from api.deps import PartsOf
from api.schemas import AccessOut, EventOut, Page, PageQuery, page_of
from dispatch.model.intake import RowId

router = APIRouter(tags=["audit"])


class LogQuery(PageQuery):
    """Which entries."""

    subject_id: RowId | None = Field(None, description="Only of this request, leg, offer, round, run or person.")


@router.get("/events")
def list_events(caller: CallerOf, parts: PartsOf, query: Annotated[LogQuery, Query()]) -> Page[EventOut]:
    """Every step of requests, legs, offers, rounds and runs, newest first: from where to where, when, by whose key, for which reason."""
    with parts.reading(caller.territory_id) as store:
        rows = store.log(query.after, query.limit, query.subject_id)
        return page_of(rows, [EventOut.model_validate(row) for row in rows], query)


@router.get("/accesses")
def list_accesses(caller: CallerOf, parts: PartsOf, query: Annotated[LogQuery, Query()]) -> Page[AccessOut]:
    """Every look at people's data and every change of them, newest first; never what was there."""
    with parts.reading(caller.territory_id) as store:
        rows = store.accesses(query.after, query.limit, query.subject_id)
        return page_of(rows, [AccessOut.model_validate(row) for row in rows], query)
