"""The files that pages need, under an address that changes when any of them does, so that browsers may keep them.

Everything comes from here: no page loads anything from anybody else. `vendor/` holds what others wrote, put there by scripts/vendor.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response

from api.deps import PartsOf
from api.pages.basemap import worker_policy
from dispatch.errors import NotFound

STATIC = Path(__file__).parents[1] / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
router = APIRouter(prefix="/static", include_in_schema=False)


@router.get("/{digest}/{name:path}")
def show_static(digest: Annotated[str, InPath(pattern=r"^[0-9a-f]{12}$")], name: str, request: Request, parts: PartsOf) -> Response:
    """A file; the newest, whichever digest was asked for."""
    if name not in _files():
        raise NotFound
    headers = dict(_KEPT)
    if name.endswith("-worker.mjs"):  # what it may fetch is a setting: asked for again each time
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": worker_policy(parts.settings)}
    kind = KINDS[Path(name).suffix]
    if "gzip" in request.headers.get("accept-encoding", "") and (packed := _packed(name)):
        return Response(packed, media_type=kind, headers={**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return FileResponse(STATIC / name, media_type=kind, headers=headers)


@cache
def _packed(name: str) -> bytes:
    """A large text, made small; nothing for what is small already."""
    path = STATIC / name
    worth = path.suffix in (".css", ".js", ".mjs", ".svg") and path.stat().st_size > 2000
    return gzip.compress(path.read_bytes(), 9, mtime=0) if worth else b""


def asset(name: str) -> str:
    """The address of a file. KeyError for one that is not there: a page that names it is wrong."""
    if name not in _files():
        raise KeyError(name)
    return f"/static/{_digest()}/{name}"


@cache
def _files() -> frozenset[str]:
    found = (path for path in STATIC.rglob("*") if path.is_file() and path.suffix in KINDS)
    return frozenset(path.relative_to(STATIC).as_posix() for path in found) - {"vendor/package.json", "vendor/package-lock.json"}


@cache
def _digest() -> str:
    """Of all files together: modules name each other, so that one that is new makes all of them new."""
    whole = hashlib.sha256()
    for name in sorted(_files()):
        whole.update(name.encode() + b"\0" + (STATIC / name).read_bytes())
    return whole.hexdigest()[:12]
