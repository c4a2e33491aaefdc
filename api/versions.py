"""Changes say which version they are based on: ETag out, If-Match in. Without it 428, with an old one 412: nobody overwrites unseen.

In: the version of a row. Out: its ETag, or an error. Called by the routes that show and change single things.
"""

from typing import Annotated

from fastapi import Header, Response

from dispatch.errors import Stale, UnreadChange

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100, description="The ETag of the answer that the change is based on.")]


def etag(version: int) -> str:
    """As HTTP writes it."""
    return f'"v{version}"'


def show_version(response: Response, version: int) -> None:
    """Put the ETag on an answer."""
    response.headers["ETag"] = etag(version)


def check_version(given: str | None, version: int) -> None:
    """UnreadChange without a version, Stale with another one than the present; lists, weak tags and `*` are others."""
    if given is None:
        raise UnreadChange
    if given.strip() != etag(version):
        raise Stale
