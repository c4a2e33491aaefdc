"""The HTTP application: routes, errors, guard, and the planner and senders that live beside them. Run by `allons serve` and by tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from api.auth import authorise
from api.deps import Parts, PartsOf, refuse_stray_query
from api.describe import state_refusals
from api.errors import install_handlers
from api.guard import Guard
from api.pages import (
    answers,
    asking,
    basemap,
    day,
    door,
    files,
    hours,
    me,
    mine,
    offline,
    phone,
    proposal,
    rides,
    statement,
    static,
    territory,
)
from api.pages import sheets as printed
from api.pages.visit import LogIn, to_login, trouble
from api.routes import (
    accounts,
    calendars,
    credentials,
    day_map,
    driving,
    eligibility,
    events,
    keys,
    live,
    needs,
    offers,
    openness,
    people,
    places,
    privacy,
    rounds,
    series,
    session,
    sheets,
    sms,
    tds,
    telling,
    territories,
    trips,
    volunteers,
    webhooks,
)
from dispatch.engine.planner import Planner
from dispatch.errors import NotReady
from dispatch.notices.running import Senders

DESCRIPTION = """
Rides for people who need one, driven by volunteers.

- Points are `[longitude, latitude]`, WGS 84. Times carry their offset: `2026-11-25T10:40:00+01:00`.
- Every call needs `Authorization: Bearer …` with a key made by `allons keys add`, or the cookie of a login. Both see one territory.
- A posted request is planned by the next round of its day; a declined offer reopens the ride, and the next round plans it again.
- Files of people are changed and erased with the `ETag` of what was read as `If-Match` (428 without it, 412 with an old one).
  Steps (cancel, accept, decline, revoke, end) need none: they go one way, and one that is not possible any more is answered 409.
- Lists are pages: give `next` as `after`. Creating calls carry an `Idempotency-Key`: repeated, they have one effect and one answer.
- Errors are `application/problem+json` (RFC 9457) and never repeat what was sent.
- Road times are free-flow: no traffic, no weather. Roads © OpenStreetMap contributors, ODbL 1.0.
"""


class _Described(FastAPI):
    """Says which refusals there are, by number."""

    def openapi(self) -> dict[str, Any]:
        before, described = self.openapi_schema, super().openapi()
        if described is not before:  # made anew: for the first time, or because there are more routes
            state_refusals(described)
        return described


def create_app(parts: Parts) -> FastAPI:
    """The application of these parts. Its planner and senders start and stop with it, unless settings leave that to other processes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        planner = Planner(parts.database, parts.network, parts.bus, parts.settings, parts.world) if parts.settings.planner else None
        senders = Senders(parts.database, parts.settings, parts.world) if parts.settings.sender else None
        beside = [part for part in (planner, senders) if part]
        for part in beside:
            part.start()
        yield
        parts.live.close()
        for part in beside:
            part.stop()

    app = _Described(
        title="Allons",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
    )
    app.state.parts = parts
    own = (
        territories,
        openness,
        driving,
        day_map,
        people,
        eligibility,
        volunteers,
        credentials,
        places,
        privacy,
        trips,
        series,
        tds,
        rounds,
        offers,
        keys,
        accounts,
        events,
        live,
        sheets,
        needs,
        telling,
        sms,
        webhooks,
        calendars,
    )
    for router in (*(room.router for room in own), session.own_router, needs.unmet, offers.leg_router, volunteers.people_router):
        app.include_router(router, prefix="/v1", dependencies=[Depends(authorise), Depends(refuse_stray_query)])
    for router in (session.router, calendars.open_router):
        app.include_router(router, prefix="/v1", dependencies=[Depends(refuse_stray_query)])
    shown = (
        answers,
        basemap,
        day,
        proposal,
        door,
        files,
        territory,
        me,
        hours,
        offline,
        printed,
        phone,
        rides,
        statement,
        mine,
        asking,
        static,
    )
    for room in shown:
        app.include_router(room.router)
    app.get("/livez", tags=["health"])(alive)
    app.get("/readyz", tags=["health"])(ready)
    install_handlers(app, trouble)
    app.add_exception_handler(LogIn, to_login)
    app.add_middleware(Guard, world=parts.world, sheet_bytes=parts.settings.import_kib * 1024, file_bytes=parts.settings.proof_kib * 1024)
    return app


def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


def ready(parts: PartsOf) -> dict[str, str]:
    """The database answers and its tables are those of this version; `degraded` when Redis is away: everything works, only later."""
    well, report = parts.health.report()
    if not well:
        raise NotReady(report.get("detail"))
    return report


def _operation(route: APIRoute) -> str:
    return route.name
