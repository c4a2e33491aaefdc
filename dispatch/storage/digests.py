"""What makes the log tell when it was changed: digests of its entries, chained per subject, and of its seals, chained per territory."""

import hashlib
from datetime import datetime
from uuid import UUID

FIRST = ""  # what the first link of a chain follows


def digest(*parts: object) -> str:
    """SHA-256 of some fields, as hexadecimal text. The same in Python, in SQLite's trigger (which calls this) and in PostgreSQL's.

    Only the last part may hold a bar: fields of the log are ids, codes, numbers and instants.
    """
    return hashlib.sha256("|".join(map(_plain, parts)).encode()).hexdigest()


def _plain(part: object) -> str:
    """As SQLite stores it: ids without hyphens, instants as UTC without an offset."""
    if part is None:
        return ""
    if isinstance(part, UUID):
        return part.hex
    if isinstance(part, datetime):
        return part.replace(tzinfo=None).isoformat(" ", "microseconds")
    return str(part)
