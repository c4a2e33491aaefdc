"""A creating request that is repeated has one effect and one answer: the header Idempotency-Key, required on every creating POST.

In: the key, the caller, a function that creates. Out: the answer, fresh or as it was given before (`Idempotency-Replayed: true`).
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from api.auth import CallerOf
from api.deps import PartsOf
from dispatch.errors import NotFound
from dispatch.service.keys import Caller
from dispatch.storage.database import Session
from dispatch.storage.replies import Replies
from dispatch.storage.tables import Reply
from dispatch.storage.vault import Identity
from dispatch.world import World

_IDENTITY = [field.name for field in fields(Identity)]
_KEY = Header(
    alias="Idempotency-Key",
    min_length=8,
    max_length=255,
    pattern=r"^[\x21-\x7e]+$",
    description="A new random text for each new request, such as a UUID. Repeat a request with the same key, and it is done once.",
)


@dataclass(frozen=True, slots=True)
class Once:
    """One creating request."""

    caller: Caller
    key: str
    request_sha256: str
    world: World

    def answer(
        self,
        session: Session,
        status: int,
        create: Callable[[], BaseModel],
        *,
        shown_once: str | None = None,
        who: Callable[[UUID], Identity] | None = None,
    ) -> Response:
        """Create and answer, or repeat the answer. KeyReused when the key came before with another request.

        `shown_once`: a field that is answered once and not kept; repeated, it is null. `who`: says again who was created, since names are
        kept in the vault only.
        """
        replies = Replies(session)
        replies.lock(self.caller.actor_id, self.key)
        known = replies.find(self.caller.actor_id, self.key, self.request_sha256)
        if known is not None:
            if not known.body:  # who was created then was erased since
                raise NotFound
            return _response(known.status, _with_names(known.body, who) if who else known.body, {"Idempotency-Replayed": "true"})
        made = create()
        body = made.model_dump_json(by_alias=True)
        left_out = ([shown_once] if shown_once else []) + (_IDENTITY if who else [])
        kept = made.model_copy(update=dict.fromkeys(set(left_out) & set(type(made).model_fields))).model_dump_json(
            by_alias=True, warnings=False
        )
        owner = {"client_id": self.caller.actor_id, "territory_id": self.caller.territory_id}
        told = {"request_sha256": self.request_sha256, "status": status, "body": kept}
        replies.keep(Reply(key=self.key, created_at=self.world.now(), **owner, **told))
        return _response(status, body, {})


def _with_names(body: str, who: Callable[[UUID], Identity]) -> str:
    found = json.loads(body)
    known = asdict(who(UUID(found["id"])))
    return json.dumps(
        {name: known[name] if name in _IDENTITY else found[name] for name in found}, ensure_ascii=False, separators=(",", ":")
    )


def _response(status: int, body: str, headers: dict[str, str]) -> Response:
    return Response(body, status, media_type="application/json", headers=headers)


def get_once(request: Request, caller: CallerOf, parts: PartsOf, key: Annotated[str, _KEY]) -> Once:
    """Of this request: its method, its address with what it asks for, and its body are what the key stands for."""
    about = f"{request.method} {request.url.path}?{request.url.query} {request.state.body_sha256}"
    return Once(caller, key, hashlib.sha256(about.encode()).hexdigest(), parts.world)


OnceOf = Annotated[Once, Depends(get_once)]
