"""What lets the volunteers' pages work without network: a worker in the browser, at an address from which it may look after `/me`.

In: nothing. Out: the script, never kept by browsers, so that a mended one is there at once.
"""

from fastapi import APIRouter
from fastapi.responses import FileResponse

from api.pages.render import POLICY
from api.pages.static import KINDS, STATIC

router = APIRouter(include_in_schema=False)


@router.get("/me-worker.js")
def show_worker() -> FileResponse:
    """The worker. Its scope is `/me`; it has no other."""
    own = {"Content-Security-Policy": POLICY}  # what a worker may ask for is up to its own policy
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/me", **own}
    return FileResponse(STATIC / "me" / "worker.js", media_type=KINDS[".js"], headers=headers)
