"""API keys of a territory: its manager makes and revokes them. The text of a key is shown once."""

from fastapi import APIRouter, Response

from api.auth import CallerOf
from api.deps import PartsOf
from api.once import OnceOf
from api.schemas import KeyMade, KeyOut, Page, PageOf, page_of
from dispatch.model.entering import NewKey
from dispatch.model.intake import RowId
from dispatch.service.keys import make_key, revoke_key
from dispatch.storage.registry import Registry

router = APIRouter(prefix="/keys", tags=["keys"])


@router.post("", status_code=201, response_model=KeyMade)
def create_key(new: NewKey, caller: CallerOf, parts: PartsOf, once: OnceOf) -> Response:
    """A new key of this territory. Its text is in this answer only: repeated with the same Idempotency-Key, it is null."""

    def create() -> KeyMade:
        key, text = make_key(Registry(store.session), new.role, store, new.holder_id, parts.world, new.days, new.scopes)
        store.note_access("made", "api_key", key.id, 1, parts.world)
        return KeyMade.model_validate({**KeyOut.model_validate(key).model_dump(), "text": text})

    with parts.writing(caller.territory_id, caller.actor_id) as store:
        return once.answer(store.session, 201, create, shown_once="text")


@router.get("")
def list_keys(caller: CallerOf, parts: PartsOf, page: PageOf) -> Page[KeyOut]:
    """All of this territory, oldest first, without their texts."""
    with parts.reading(caller.territory_id) as store:
        rows = Registry(store.session).page_of_keys(store.territory_id, page.after, page.limit)
        return page_of(rows, [KeyOut.model_validate(row) for row in rows], page)


@router.delete("/{key_id}", status_code=204)
def revoke_key_now(key_id: RowId, caller: CallerOf, parts: PartsOf) -> Response:
    """It opens nothing any more, from this moment on. Said twice is said once."""
    with parts.writing(caller.territory_id, caller.actor_id) as store:
        revoke_key(Registry(store.session), store.territory_id, key_id, parts.world)
        store.note_access("changed", "api_key", key_id, 1, parts.world)
    return Response(status_code=204)
