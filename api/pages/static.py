"""The few files that pages need, served with their digest in the name so that browsers keep them."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from api.pages.render import STATIC
from dispatch.errors import NotFound

router = APIRouter(prefix="/static", include_in_schema=False)
_KINDS = {"css": "text/css; charset=utf-8"}


@router.get("/{name}.{digest}.{kind}")
def show_static(
    name: Annotated[str, Path(pattern=r"^[a-z]{1,20}$")],
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")],
    kind: Annotated[str, Path(pattern=r"^[a-z]{1,5}$")],
) -> Response:
    """A file; the newest, whichever digest was asked for."""
    file = STATIC / f"{name}.{kind}"
    if kind not in _KINDS or not file.is_file():
        raise NotFound
    return Response(file.read_bytes(), media_type=_KINDS[kind], headers={"Cache-Control": "public, max-age=31536000, immutable"})
