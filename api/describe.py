"""What the API says of itself beyond its models: which refusals each operation has, and what they look like.

In: the description that FastAPI makes. Out: the same, with every status by number, so that an answer nobody described is a fault.
"""

from collections.abc import Iterator
from typing import Any

_FAULT = {
    "type": "object",
    "required": ["pointer", "code", "detail"],
    "properties": {"pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
}
_PROBLEM = {
    "type": "object",
    "description": "What is wrong and what to do next (RFC 9457); the codes are listed in docs/errors.md.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:allons:error:not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "action": {"type": "string", "description": "What to do next."},
        "errors": {"type": "array", "items": _FAULT},
        "instance": {"type": "string", "description": "Names this answer in the logs."},
    },
}
#: 500 is missing on purpose: it is always a mistake of ours.
_MEANING = {
    400: "The body is not strict JSON.",
    401: "No key and no login, or one that opens nothing.",
    403: "The role may not do this, or the change does not come from a page of this service.",
    404: "Absent, or not to be seen by the caller: the same answer for both.",
    409: "Not possible in the present state.",
    412: "Somebody else has changed this since it was read.",
    413: "The body is too large.",
    415: "The body is not said to be JSON; CSV where a sheet, PDF, JPEG or PNG where a picture is taken.",
    422: "Some of the information cannot be used; `errors` names it.",
    428: "A change must say which version it is based on.",
    429: "Too many calls; `Retry-After` says when to come back.",
    431: "The address and the headers are too long.",
    503: "The service cannot work at the moment; `Retry-After` says when to come back.",
}
_NOT_OURS = {"HTTPValidationError", "ValidationError"}  # FastAPI's own form of a refusal, which is not ours


def state_refusals(described: dict[str, Any]) -> None:
    """Write every refusal into a description, in place."""
    schemas: dict[str, Any] = described["components"]["schemas"]
    for name in _NOT_OURS:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    form = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            operation["responses"] = {status: told for status, told in operation["responses"].items() if status != "422"}
            for status in sorted(set(_refusals(path, method, operation))):
                operation["responses"][str(status)] = {"description": _MEANING[status], "content": form}


def _refusals(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    yield from (422, 431, 503)
    yield from (status for status in _MEANING if str(status) in operation["responses"])  # what a route says of itself
    if not path.startswith("/v1"):
        return
    yield 429
    if "security" in operation:
        yield from (401, 403)
    elif path.startswith("/v1/session"):  # the ways in
        yield from (401, 404) if method == "get" else (401,)
    if "{" in path or "after" in parameters or "Idempotency-Key" in parameters:
        yield 404
    if method != "get":
        yield from (400, 409, 413, 415)
    if "If-Match" in parameters:
        yield from (412, 428)
