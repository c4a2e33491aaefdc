"""What people are told: notices, calls to be made, and the territory's own texts."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import CallerOf
from api.deps import PartsOf
from api.schemas import Page, PageOf, PageQuery, page_of
from api.told import CallOut, MessageTextOut, NoticeDetail, NoticeOut, TextOut
from dispatch.errors import NotFound
from dispatch.model.intake import RowId
from dispatch.model.notices import Form, Language, NoticeKind, State
from dispatch.model.telling import Called, OwnText
from dispatch.notices.compose import shown_to_staff
from dispatch.service import texts
from dispatch.service.calls import calls_to_make
from dispatch.service.calls import settle_call as note_call

router = APIRouter(tags=["telling"])
TEXT = "/notice-texts/{kind}/{language}/{form}"


class NoticeQuery(PageQuery):
    """Which notices."""

    state: State | None = None
    kind: NoticeKind | None = None
    about: RowId | None = None
    person_id: RowId | None = None


@router.get("/notices")
def list_notices(caller: CallerOf, parts: PartsOf, query: Annotated[NoticeQuery, Query()]) -> Page[NoticeOut]:
    """Newest first, without names and words. `state=failed`: what nobody could be told."""
    wanted = {name: value for name in ("state", "kind", "about", "person_id") if (value := getattr(query, name)) is not None}
    with parts.reading(caller.territory_id) as store:
        rows = store.page_of_notices(query.after, query.limit, **wanted)
        found = [NoticeOut.model_validate(row) for row in rows]
    return page_of(rows, found, query)


@router.get("/notices/{notice_id}")
def get_notice(notice_id: RowId, caller: CallerOf, parts: PartsOf) -> NoticeDetail:
    """One, in the words in which it is told. Links that let somebody log in are not shown."""
    with parts.reading(caller.territory_id) as store:
        row = store.notice(notice_id)
        if row is None:
            raise NotFound
        found = NoticeDetail.of(row, shown_to_staff(store, row, parts.settings.public_url or ""))
    parts.note_read(caller, "notice", row.person_id, int(row.person_id is not None))
    return found


@router.get("/calls")
def list_calls(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[CallOut]:
    """Whom somebody has to call, longest waiting first: the number, and a sentence that is ready to be said."""
    with parts.reading(caller.territory_id) as store:
        rows, calls = calls_to_make(store, page.after, page.limit, parts.world)
        found = [CallOut.of(call) for call in calls]
    parts.note_read(caller, "person", None, len(found))
    return page_of(rows, found, page)


@router.post("/calls/{call_id}/done")
def settle_call(call_id: RowId, called: Called, caller: CallerOf, parts: PartsOf) -> NoticeOut:
    """What became of a call. After no answer it comes up again in an hour; after a wrong number the second contact is called."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return NoticeOut.model_validate(note_call(store, call_id, called.outcome, parts.world))


@router.get("/notice-texts")
def list_texts(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[MessageTextOut]:
    """Every text, with the placeholders that it may have. All of them come on one page: there is no next one."""
    if page.after is not None:
        raise NotFound
    with parts.reading(caller.territory_id) as store:
        return Page[MessageTextOut](items=[MessageTextOut.of(view) for view in texts.all_texts(store)], next=None)


@router.get(TEXT)
def get_text(kind: NoticeKind, language: Language, form: Form, caller: CallerOf, parts: PartsOf) -> MessageTextOut:
    """One text."""
    with parts.reading(caller.territory_id) as store:
        return MessageTextOut.of(texts.find_text(store, kind, language, form))


@router.put(TEXT)
def write_text(kind: NoticeKind, language: Language, form: Form, new: OwnText, caller: CallerOf, parts: PartsOf) -> MessageTextOut:
    """Say it in the territory's own words; try it with `preview` first."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return MessageTextOut.of(texts.change_text(store, kind, language, form, new, parts.world))


@router.delete(TEXT, status_code=204)
def reset_text(kind: NoticeKind, language: Language, form: Form, caller: CallerOf, parts: PartsOf) -> Response:
    """Say it as it comes with the service."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        texts.reset_text(store, kind, language, form)
    return Response(status_code=204)


@router.post(f"{TEXT}/preview")
def preview_text(kind: NoticeKind, language: Language, form: Form, new: OwnText, caller: CallerOf, parts: PartsOf) -> TextOut:
    """How a text would read, with invented people. Nothing is kept."""
    with parts.reading(caller.territory_id) as store:
        return TextOut.of(texts.preview_text(store, kind, language, form, new))
