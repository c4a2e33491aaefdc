"""Around every request: its id, its size and form, the headers of its answer, one log line, and errors nobody foresaw.

Plain ASGI, outside FastAPI: a body that is too large or is not strict JSON (CSV, where that is wanted) never reaches a route. Logs carry
the route's name, never its values, and the kind and place of an unforeseen error, never its message.
"""

import hashlib
import json
import math
import re
import time
import traceback
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from dispatch.errors import Fault, pointer_of
from dispatch.metrics import CALL_SECONDS, CALLS, UNFORESEEN
from dispatch.model.volunteering import MAGIC
from dispatch.world import World

MAX_BODY_BYTES = 64 * 1024
MAX_HEAD_BYTES = 16 * 1024
MAX_DEPTH = 100
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
SHEETS_AT = "/v1/imports/"  # where CSV is taken, and nothing else
FILES_AT = re.compile(r"/v1/credentials/.*/file")  # where pictures of papers are
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_OF_PAGES = {"Content-Security-Policy", "Cache-Control"}  # pages have a policy of their own, and files may be kept
#: The interactive documentation is a page of FastAPI's that loads Swagger UI from its content network.
_DOCS_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'self' 'unsafe-inline' "
    "https://cdn.jsdelivr.net; img-src 'self' data: https://fastapi.tiangolo.com; frame-ancestors 'none'"
)
log = structlog.get_logger()


class _Refused(Exception):
    def __init__(self, code: str, detail: str, *faults: Fault, close: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.faults = code, detail, faults
        self.close = close  # the rest of what is sent cannot be told from a next request


class Guard:
    """ASGI middleware; the outermost."""

    def __init__(self, app: ASGIApp, world: World, sheet_bytes: int, file_bytes: int) -> None:
        self._app, self._world = app, world
        self._most = {"json": MAX_BODY_BYTES, "csv": sheet_bytes, "file": file_bytes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(self._world.new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        headers = Headers(scope=scope)
        began, status = time.monotonic(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    if not (name in _OF_PAGES and name in answer):
                        answer[name] = value
                if scope["path"] == "/docs":
                    answer["Content-Security-Policy"] = _DOCS_CSP
                answer["X-Request-Id"] = request_id
            await send(message)

        language = headers.get("accept-language", "")
        try:
            _check_head(scope, headers)
            taken = "csv" if scope["path"].startswith(SHEETS_AT) else "file" if FILES_AT.fullmatch(scope["path"]) else "json"
            body = await _read_body(receive, headers, self._most[taken])
            if body and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
                _check_form(headers, taken)
                if taken == "json":
                    _check_json(body)
            scope["state"]["body_sha256"] = hashlib.sha256(body).hexdigest()
            await self._app(scope, _replay(body, receive), send_marked)
        except _Refused as refused:
            closing = {"Connection": "close"} if refused.close else {}
            answer = problem(request_id, language, refused.code, refused.detail, faults=refused.faults, headers=closing)
            await answer(scope, receive, send_marked)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)[-6:]
            where = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames]
            UNFORESEEN.labels(type(error).__name__).inc()
            log.error("unforeseen", request=request_id, kind=type(error).__name__, where=where)
            if not status:
                answer = problem(request_id, language, "internal", "The work could not be done.")
                await answer(scope, receive, send_marked)
        name, took = getattr(scope.get("route"), "name", "-"), time.monotonic() - began
        method = scope["method"] if scope["method"] in _METHODS else "other"  # anything may be sent as one
        CALLS.labels(name, method, status).inc()
        CALL_SECONDS.labels(name).observe(took)
        log.info("request", request=request_id, method=method, route=name, status=status, ms=round(1000 * took, 1))


def _check_head(scope: Scope, headers: Headers) -> None:
    """Bounded, for a host that can be one, with one length, and nothing said twice: of two values nobody knows which was meant."""
    address = len(scope["path"]) + len(scope["query_string"])
    if address + sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD_BYTES:
        raise _Refused("headers_too_large", f"At most {MAX_HEAD_BYTES // 1024} KiB are taken before the body.", close=True)
    if "transfer-encoding" in headers and "content-length" in headers:
        raise _Refused("unreadable", "The length of the body is given twice, in two ways.", close=True)
    if not _HOST.fullmatch(headers.get("host", "-")):  # HTTP/1.0 needs none
        raise _Refused("unreadable", "The header Host names no host.", close=True)
    names = [name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise _Refused("bad_input", "See errors.", *(Fault(pointer_of([name]), "twice", "is given twice") for name in twice[:10]))


async def _read_body(receive: Receive, headers: Headers, most: int) -> bytes:
    """The whole body, within the limit in bytes."""
    too_large = _Refused("too_large", f"At most {most // 1024} KiB are taken.", close=True)
    if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")[:12]) > most:
        raise too_large
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":  # the client has gone
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise too_large
        if not message.get("more_body", False):
            break
    return b"".join(parts)


#: What is taken -> its media types, the code of a refusal, how it is called.
_FORMS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "json": (("application/json",), "not_json", "JSON in UTF-8"),
    "csv": (("text/csv",), "not_csv", "CSV in UTF-8"),
    "file": (tuple(MAGIC), "not_a_file", "a PDF, JPEG or PNG"),
}


def _check_form(headers: Headers, taken: str) -> None:
    wanted, code, called = _FORMS[taken]
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    packed = headers.get("content-encoding", "identity") != "identity"
    if kind.strip() not in wanted or charset not in ("", *(["charset=utf-8"] if taken != "file" else [])) or packed:
        raise _Refused(code, f"Send {called}: Content-Type: {' or '.join(wanted)}.")


def _check_json(body: bytes) -> None:
    """Refuse what Python's parser lets pass: names given twice, NaN and infinity, endless nesting."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise _Refused("unreadable", "This is not strict JSON: check quotes, commas, names given twice, NaN.") from None
    if _depth(found) > MAX_DEPTH:
        raise _Refused("unreadable", f"Nested deeper than {MAX_DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse(_: str) -> None:
    raise ValueError("not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [inner for outer in level for inner in _children(outer)]
    return depth


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
