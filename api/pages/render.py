"""How every page is made: one base template, the words of its language, and headers that let nothing in from elsewhere.

In: a template's name, a language, what it shows. Out: an HTML answer. Called by the pages. Texts come from `words`, never from templates.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.pages.words import WORDS
from dispatch.model.notices import Language

STATIC = Path(__file__).parents[1] / "static"
#: Nothing but our own style sheet, and forms that come back here.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_pages = Environment(loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def page(name: str, language: Language, shown: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """One page. What is shown is escaped wherever it stands."""
    text = _pages.get_template(name).render(words=WORDS[language], language=language, style=style_address(), **shown)
    return HTMLResponse(text, status, headers={"Content-Security-Policy": POLICY, "X-Robots-Tag": "noindex"})


@cache
def style_address() -> str:
    """Of the style sheet: another one when it changes, so that browsers may keep it."""
    return f"/static/page.{hashlib.sha256((STATIC / 'page.css').read_bytes()).hexdigest()[:12]}.css"
