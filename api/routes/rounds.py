"""Rounds: a day planned now, and what came of it."""

import asyncio
import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import CallerOf
from api.deps import Parts, PartsOf
from api.once import OnceOf
from api.schemas import Page, PageOf, RoundDetail, RoundOut, page_of
from dispatch.engine.throttle import ROUNDS
from dispatch.model.intake import NewRound, RowId
from dispatch.service.rounds import enqueue_round
from dispatch.storage.tables import Round

router = APIRouter(prefix="/rounds", tags=["rounds"])
_LOOK_EVERY_S = 0.1


class WaitQuery(BaseModel):
    """How patient the caller is."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(0, ge=0, le=30, description="Seconds to wait for the round to end before answering.")


@router.post("", status_code=202, response_model=RoundOut)
def create_round(new: NewRound, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Plan a day now. 202: queued; if a round of this day is queued already, that one."""
    parts.throttle.take(ROUNDS, "rounds", caller.territory_id)
    seconds = parts.settings.round_seconds if new.seconds is None else new.seconds
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 202, lambda: RoundOut.of(enqueue_round(store, new.date, seconds, new.seed, parts.world)))


@router.get("")
def list_rounds(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[RoundOut]:
    """Newest first, without their plans."""
    with parts.reading(caller.territory_id) as store:
        rows = store.page(Round, page.after, page.limit)
        return page_of(rows, [RoundOut.of(row) for row in rows], page)


@router.get("/{round_id}")
async def get_round(round_id: RowId, caller: CallerOf, parts: PartsOf, query: Annotated[WaitQuery, Query()]) -> RoundDetail:
    """One round with its plan and everybody who is left without; waits for its end if asked to."""
    deadline = time.monotonic() + min(query.wait, parts.settings.longest_wait_seconds)
    while True:
        found = await run_in_threadpool(_look, parts, caller.territory_id, round_id)
        if found.state in ("done", "failed") or time.monotonic() >= deadline:
            people = {leg.request for run in found.plan.runs for leg in run.legs} if found.plan else set()
            await run_in_threadpool(parts.note_read, caller, "round", round_id, len(people))
            return found
        await asyncio.sleep(_LOOK_EVERY_S)


def _look(parts: Parts, territory_id: UUID | None, round_id: UUID) -> RoundDetail:
    with parts.reading(territory_id) as store:
        return RoundDetail.of(store.get(Round, round_id))
