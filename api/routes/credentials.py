"""Papers of volunteers: handed in, looked at, their pictures, and which of them end soon."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field

from api.auth import CallerOf, own_volunteer
from api.deps import PartsOf
from api.once import OnceOf
from api.routes.volunteers import DryRunOf
from api.schemas import Page, PageQuery, page_of
from api.volunteer_schemas import CredentialOut, PapersOut, Touching
from dispatch.model.intake import RowId
from dispatch.model.volunteering import MAGIC, NewCredential, RefusedPaper, Verified
from dispatch.service import credentials
from dispatch.storage.tables import Volunteer
from dispatch.storage.volunteer_tables import Credential

router = APIRouter(tags=["credentials"])
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_TAKEN: dict[str, Any] = {"requestBody": {"content": dict.fromkeys(MAGIC, _PICTURE)}}
_SAVED = "The file, to be saved: it is never shown as a page."
_GIVEN: dict[int | str, dict[str, Any]] = {200: {"content": dict.fromkeys(MAGIC, _PICTURE), "description": _SAVED}}
_ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
File = Annotated[bytes, Body(media_type="application/pdf", description="A PDF, JPEG or PNG; see docs/volunteers.md.")]


class CredentialQuery(PageQuery):
    """Which papers."""

    state: Literal["submitted", "valid", "expired", "replaced", "refused"] | None = None
    ending: bool = Field(False, description="Valid ones within the warning time of their kind, the next to end first, all on one page.")


@router.post("/volunteers/{volunteer_id}/credentials", status_code=201, response_model=CredentialOut)
def add_credential(volunteer_id: RowId, new: NewCredential, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """Hand in a paper of the territory's list; somebody will look at it."""

    def create() -> CredentialOut:
        volunteer = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        return CredentialOut.of(credentials.hand_in(store, volunteer, new, parts.world), has_file=False)

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create)


@router.get("/volunteers/{volunteer_id}/credentials")
def get_credentials(volunteer_id: RowId, caller: CallerOf, parts: PartsOf) -> PapersOut:
    """Papers of a volunteer, and which are missing."""
    with parts.reading(caller.territory_id) as store:
        volunteer = store.get(Volunteer, own_volunteer(caller, volunteer_id))
        rows = store.credentials_of(volunteer.id)
        pictured = store.with_files(row.id for row in rows)
        papers = [CredentialOut.of(row, has_file=row.id in pictured) for row in rows]
        found = PapersOut(papers=papers, missing=credentials.missing_kinds(store, volunteer, parts.world))
    parts.note_read(caller, "volunteer", volunteer_id)
    return found


@router.get("/credentials")
def list_credentials(caller: CallerOf, parts: PartsOf, query: Annotated[CredentialQuery, Query()]) -> Page[CredentialOut]:
    """Papers of everybody, newest first: `state=submitted` are those that wait for somebody's look."""
    with parts.reading(caller.territory_id) as store:
        where = {"state": query.state} if query.state else {}
        rows = credentials.ending_soon(store, parts.world) if query.ending else store.page(Credential, query.after, query.limit, **where)
        pictured = store.with_files(row.id for row in rows)
        found = [CredentialOut.of(row, has_file=row.id in pictured) for row in rows]
    parts.note_read(caller, "volunteer", None, len({row.volunteer_id for row in rows}))
    return Page[CredentialOut](items=found, next=None) if query.ending else page_of(rows, found, query)


@router.post("/credentials/{credential_id}/verify")
def verify_credential(credential_id: RowId, seen: Verified, caller: CallerOf, parts: PartsOf, query: DryRunOf) -> Touching[CredentialOut]:
    """It was looked at and is good. The valid one of its kind before it is replaced; rides that only that one covered are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row, touched = credentials.verify(
            store, store.get(Credential, credential_id), seen, caller.actor_id, parts.world, dry_run=query.dry_run
        )
        pictured = bool(store.with_files([row.id]))
        return Touching.of(CredentialOut.of(row, has_file=pictured), touched, dry_run=query.dry_run)


@router.post("/credentials/{credential_id}/refuse")
def refuse_credential(
    credential_id: RowId, why: RefusedPaper, caller: CallerOf, parts: PartsOf, query: DryRunOf
) -> Touching[CredentialOut]:
    """It is not good, or turned out not to be. Rides that nobody may drive without it are open again."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row, touched = credentials.refuse(store, store.get(Credential, credential_id), why.reason, parts.world, dry_run=query.dry_run)
        pictured = bool(store.with_files([row.id]))
        return Touching.of(CredentialOut.of(row, has_file=pictured), touched, dry_run=query.dry_run)


@router.put("/credentials/{credential_id}/file", status_code=204, openapi_extra=_TAKEN)
def put_credential_file(credential_id: RowId, file: File, request: Request, caller: CallerOf, parts: PartsOf) -> Response:
    """The picture of a paper that nobody has looked at yet. It is sealed with the volunteer's key, and shown to staff only."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Credential, credential_id)
        own_volunteer(caller, row.volunteer_id)
        credentials.attach_file(store, row, file, media_type, parts.world)
    return Response(status_code=204)


@router.get("/credentials/{credential_id}/file", responses=_GIVEN, response_class=Response)
def get_credential_file(credential_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """The picture, to be saved; the look is on record before it leaves."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        row = store.get(Credential, credential_id)
        data, media_type = credentials.open_proof(store, row, parts.world)
    named = f'attachment; filename="{row.kind}.{_ENDINGS[media_type]}"'
    return Response(data, media_type=media_type, headers={"Content-Disposition": named})
