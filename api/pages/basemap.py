"""The base map to browsers: what there is, and its tiles. Open to everybody: it is OpenStreetMap's data, and says nothing about anybody.

In: the map beside the roads (`Parts.base_map`). Called by `api/static/map.js`.
"""

import gzip
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from api.deps import PartsOf
from dispatch.errors import NotFound
from dispatch.settings import Settings
from routing.basemap import BaseMap

router = APIRouter(prefix="/map", include_in_schema=False)
_KEPT = "public, max-age=31536000, immutable"
_Number = Annotated[int, Path(ge=0, le=2**24)]


@router.get("/about.json")
def show_map(request: Request, parts: PartsOf) -> Response:
    """Where the tiles are, for which part of the world, and whose data they show; or the style that was set instead."""
    base, style = parts.base_map, parts.settings.map_style
    about = {
        "style": style,
        "tiles": None if base is None else f"/map/{base.digest}/{{z}}/{{x}}/{{y}}.mvt",
        "bounds": list(parts.network.bounds if base is None else base.bounds),
        "zooms": None if base is None else base.zooms,
        "attribution": "" if base is None else base.attribution,
    }
    return _unless_known(request, f'"{base.digest if base else "none"}"', JSONResponse(about, headers={"Cache-Control": "no-cache"}))


@router.get("/{digest}/{zoom}/{x}/{y}.mvt")
def show_tile(
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")], zoom: _Number, x: _Number, y: _Number, request: Request, parts: PartsOf
) -> Response:
    """A tile; the newest, whichever digest was asked for. Where there is nothing to see it is empty."""
    if parts.base_map is None:
        raise NotFound
    data = _tile(parts.base_map, zoom, x, y)
    headers = {"Cache-Control": _KEPT if digest == parts.base_map.digest else "no-cache", "Vary": "Accept-Encoding"}
    if data and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    elif data:
        data = gzip.decompress(data)
    answer = Response(data, media_type="application/vnd.mapbox-vector-tile", headers=headers)
    return _unless_known(request, f'W/"{parts.base_map.digest}"', answer)


def _tile(base: BaseMap, zoom: int, x: int, y: int) -> bytes:
    return base.tile(zoom, x, y) or b""


def _unless_known(request: Request, tag: str, answer: Response) -> Response:
    """304 to whoever has it already."""
    answer.headers["ETag"] = tag
    if tag in request.headers.get("if-none-match", "").split(", "):
        kept = {name: value for name, value in answer.headers.items() if name in ("etag", "cache-control", "vary")}
        return Response(status_code=304, headers=kept)
    return answer


def worker_policy(settings: Settings) -> str:
    """What the map's worker may fetch: it is under the policy that its own file came with, not under the page's."""
    return f"default-src 'none'; connect-src 'self' {map_origin(settings)}".rstrip()


def map_origin(settings: Settings) -> str:
    """Of the style that was set, for the policy of pages with a map; empty when the map is ours."""
    if settings.map_style is None:
        return ""
    parts = urlsplit(settings.map_style)
    return f"{parts.scheme}://{parts.netloc}"
