"""The accessibility statement, for everybody: what French law asks of a service for the public, said as it is."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.deps import PartsOf
from api.pages.render import page
from api.pages.visit import language_of

router = APIRouter(include_in_schema=False)


@router.get("/accessibility")
def show_accessibility(request: Request, parts: PartsOf) -> HTMLResponse:
    """How far the pages can be used by everybody, and whom to tell when they cannot."""
    return page("person/accessibility.html", language_of(request), {"territory": "Allons", "phone": None, "demo": parts.demo})
