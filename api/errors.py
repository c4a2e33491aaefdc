"""How errors travel: RFC 9457 `application/problem+json`, in French or English, never with the value that was sent.

One table says which code has which status; a code of the two error trees that is missing here fails a test (docs/errors.md lists them).
Sentences are made in English where errors happen, and told in French by `api.french`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from api.deps import get_language
from api.french import is_french, told
from dispatch.errors import AtWork, BadInput, DispatchError, Fault, NotFound, TooMany, fault_from
from routing.errors import RoutingError

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "bad_input": 422,
        "conflict": 409,
        "at_work": 409,
        "dispatch": 500,
        "illegal_move": 409,
        "key_reused": 422,
        "stale": 412,
        "too_many": 429,
        "unread_change": 428,
        "not_found": 404,
        "not_ready": 503,
        "refused": 403,
        "solve_failed": 500,
        "code_needed": 401,
        "unauthenticated": 401,
        # roads are opened at start: while serving, anything about them is ours to mend
        "bad_extract": 500,
        "bad_network": 500,
        "no_roads": 500,
        "place_not_found": 500,
        "bad_map": 500,
        "bad_places": 500,
        "bad_trips": 500,
        "routing": 500,
        # a service on the network: told as degraded, and answered only where nothing else can be
        "places_away": 503,
        # made by this package
        "unreadable": 400,
        "method_not_allowed": 405,
        "too_large": 413,
        "headers_too_large": 431,
        "not_json": 415,
        "not_csv": 415,
        "not_a_file": 415,
        "internal": 500,
    }
)
_TITLES = {
    400: ("Le message ne peut pas être lu", "The message cannot be read"),
    401: ("Il faut une clé ou une connexion", "A key or a login is needed"),
    403: ("Cette clé ne le permet pas", "This key does not allow it"),
    404: ("Cela n'existe pas ici", "There is no such thing here"),
    405: ("Cela ne se fait pas ainsi", "That is not done this way"),
    409: ("L'état a changé entre-temps", "This has changed in the meantime"),
    412: ("Quelqu'un d'autre a changé cela", "Somebody else has changed this"),
    413: ("Le message est trop grand", "The message is too large"),
    415: ("Ce n'est pas la forme attendue", "This is not the form that is needed"),
    422: ("Des informations sont à corriger", "Some information needs mending"),
    428: ("Il faut dire quelle version on change", "Say which version is being changed"),
    429: ("Trop d'appels en peu de temps", "Too many calls in a short time"),
    431: ("L'en-tête est trop long", "The headers are too long"),
    500: ("Une erreur de notre part", "A mistake on our side"),
    503: ("Le service n'est pas prêt", "The service is not ready"),
}
MOST_FAULTS = 10  # are named; whoever mends them is told the next
_PLACES = {"body", "query", "path", "header"}


def problem(
    request_id: str, language: str, code: str, detail: str, *, action: str = "", faults: Sequence[Fault] = (), headers: Any = None
) -> JSONResponse:
    """One error as the wire form has it."""
    status = STATUS[code]
    body: dict[str, Any] = {"type": f"urn:allons:error:{code}", "title": _title(status, language), "status": status}
    body["detail"] = told(detail, language)
    if action:
        body["action"] = told(action, language)
    if faults:
        more = [Fault("", "more", f"and {len(faults) - MOST_FAULTS} more")] if len(faults) > MOST_FAULTS else []
        body["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "detail": told(fault.sentence, language)}
            for fault in [*faults[:MOST_FAULTS], *more]
        ]
    body["instance"] = f"urn:uuid:{request_id}"
    extra = {"Retry-After": "5"} if status == 503 else {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(body, status, media_type="application/problem+json", headers={**extra, **(headers or {})})


def _title(status: int, language: str) -> str:
    return _TITLES[status][0 if is_french(language) else 1]


def _allowed(request: Request) -> str:
    """Every method of this path: Starlette names those of the first route only. Of a path that is also somebody's `{id}`, its own."""
    here = [route for route in iter_route_contexts(request.app.routes) if route.path_regex.match(request.url.path)]
    fewest = min((route.path_regex.groups for route in here), default=0)
    return ", ".join(sorted({method for route in here if route.path_regex.groups == fewest for method in route.methods or ()}))


def _is_of_a_page(request: Request) -> bool:
    """Whether a person looks at the answer, rather than a program."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def install_handlers(app: FastAPI, trouble: Callable[[Request, int], Response]) -> None:
    """Both error trees, FastAPI's refusals and Starlette's. `trouble` makes the page for people who look at pages."""

    def answer(request: Request, code: str, detail: str, **rest: Any) -> Response:
        if _is_of_a_page(request):
            return trouble(request, STATUS[code])
        return problem(request.state.request_id, get_language(request), code, detail, **rest)

    def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, BadInput):
            return answer(request, error.code, "See errors.", action=error.action, faults=error.faults)
        known = error if isinstance(error, DispatchError | RoutingError) else DispatchError()
        detail = str(known) if STATUS[known.code] != 500 else "The work could not be done."
        waiting = {"Retry-After": str(known.wait_s)} if isinstance(known, TooMany | AtWork) else {}
        return answer(request, known.code, detail, action=known.action, headers=waiting)

    def invalid(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        if any(row["loc"][:1] == ("path",) for row in found):  # an id that cannot be one is an id that is not here
            return http(request, HTTPException(404 if request.method in _allowed(request).split(", ") else 405))
        faults = [
            fault_from(row["loc"][1:] if row["loc"] and row["loc"][0] in _PLACES else row["loc"], row["type"], row.get("ctx") or {})
            for row in found
        ]
        return ours(request, BadInput(faults))

    def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return ours(request, NotFound())
        code = {400: "unreadable", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}.get(status, "internal")
        headers = {"Allow": _allowed(request)} if status == 405 else {}
        return answer(request, code, f"{_title(STATUS[code], get_language(request))}.", headers=headers)

    for tree in (DispatchError, RoutingError):
        app.add_exception_handler(tree, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
