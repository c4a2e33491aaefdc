"""What happens in a territory while it happens, as Server-Sent Events: for pages that show a day and for systems that follow one.

In: a key or login of staff, and the last event that was seen. Out: a stream of small events without anything personal. Steps come from
`engine.live`; here they are written down, one by one, for as long as the caller may see them.
"""

import asyncio
import datetime as dt
import json
import time
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Message as Asgi
from starlette.types import Receive, Scope, Send

from api.auth import CallerOf, still_allowed
from api.deps import Parts, PartsOf
from dispatch.engine.live import Message, Watcher
from dispatch.errors import Refused
from dispatch.metrics import STREAMS
from dispatch.service.keys import Caller

router = APIRouter(tags=["audit"])
BEAT_S = 15.0  # a comment after so much silence; and whether the caller is still let in is looked at as often
TAKEN_S = 20.0  # whoever takes nothing for so long is sent away: they come back and go on where they were
RETRY_MS = 2000


class ChangeOut(BaseModel):
    """A step of a request, leg, offer, round, run, engagement or credential; the `data` of an event `change`."""

    kind: Literal["request", "leg", "offer", "round", "run", "engagement", "credential"]
    id: UUID
    state: str
    version: int
    at: dt.datetime


class LiveQuery(BaseModel):
    """From where on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seen: str | None = Field(None, max_length=40, description="As `Last-Event-ID`, for the first time; `0`: behind nothing.")


_EVENT = {  # each of the stream: `data` is the text of a JSON object
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("event", "data", "id")},
    "required": ["event", "data"],
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `change`, with a step as `data`; `ready` and `reload`: what was read before may be old, read it again.",
        "content": {"text/event-stream": {"schema": _EVENT}},
        "model": ChangeOut,
    }
}


@router.get("/live", response_class=Response, responses=_STREAM)
def watch_changes(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    query: Annotated[LiveQuery, Query()],
    last: Annotated[str | None, Header(alias="Last-Event-ID", description="Go on behind this event, as browsers do by themselves.")] = None,
) -> Response:
    """Every step in the territory within half a second, each once and in order, as Server-Sent Events; a comment every 15 seconds."""
    if caller.territory_id is None:
        raise Refused
    return _Stream(request, parts, caller, parts.live.watch(caller.territory_id, last or query.seen))


class _Stream(Response):
    """Written while it is sent. Ends when the caller has gone or may not see it any more, takes nothing, or it has lasted long enough."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, parts: Parts, caller: Caller, watcher: Watcher) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._request, self._parts, self._caller, self._watcher = request, parts, caller, watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        STREAMS.inc()
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._tell(send, gone)
            await _send(send, b"", more=False)
        except TimeoutError:  # the connection is closed in the middle of the answer
            pass
        finally:
            STREAMS.dec()
            gone.cancel()
            self._parts.live.leave(self._watcher)

    async def _tell(self, send: Send, gone: "asyncio.Task[None]") -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        self._watcher.wake = partial(_set_in, loop, news)
        gone.add_done_callback(lambda _: news.set())
        live, end = self._parts.live, time.monotonic() + self._parts.settings.live_seconds
        looked_at, text = time.monotonic(), format_sse_event(retry=RETRY_MS)
        while not (live.closed or gone.done()):
            text += b"".join(_written(message) for message in live.news(self._watcher))
            if text:
                await _send(send, text)
            text, now = b"", time.monotonic()
            if now >= end:
                return
            try:
                async with asyncio.timeout(max(0.0, min(end, looked_at + BEAT_S) - now)):
                    await news.wait()
            except TimeoutError:
                text = format_sse_event(comment="beat")
            news.clear()
            if time.monotonic() >= looked_at + BEAT_S:
                if not await run_in_threadpool(still_allowed, self._request, self._parts, self._caller):
                    return
                looked_at = time.monotonic()


def _written(message: Message) -> bytes:
    step, data = message.step, "{}"
    if step is not None:
        told = {"kind": step.kind, "id": str(step.subject_id), "state": step.state, "version": step.version}
        data = json.dumps({**told, "at": step.at.isoformat().replace("+00:00", "Z")}, separators=(",", ":"))
    return format_sse_event(data_str=data, event=message.news, id=message.seen)


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    """TimeoutError when it is not taken."""
    told: Asgi = {"type": "http.response.body", "body": body, "more_body": more}
    async with asyncio.timeout(TAKEN_S):
        await send(told)


def _set_in(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    """Called in another thread."""
    with suppress(RuntimeError):  # the loop has ended, with all its streams
        loop.call_soon_threadsafe(news.set)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
