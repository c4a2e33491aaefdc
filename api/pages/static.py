"""The files that pages need, under an address that changes when any of them does, so that browsers may keep them.

Everything comes from here: no page loads anything from anybody else. `vendor/` holds what others wrote, put there by scripts/vendor.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import FileResponse

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
def show_static(digest: Annotated[str, InPath(pattern=r"^[0-9a-f]{12}$")], name: str) -> FileResponse:
    """A file; the newest, whichever digest was asked for."""
    if name not in _files():
        raise NotFound
    return FileResponse(STATIC / name, media_type=KINDS[Path(name).suffix], headers=_KEPT)


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
