"""Days and plans as files: read with clear refusals, written whole or not at all. Called by the command line."""

import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from dispatch.errors import BadInput, Fault
from dispatch.model.day import Day, Request
from dispatch.model.events import Event
from dispatch.model.plans import Plan

T = TypeVar("T", bound=BaseModel)

MAX_FILE_BYTES = 256 * 2**20


def load_day(path: Path) -> Day:
    """Read a day; BadInput names the file and the field."""
    return _load(path, Day)


def load_plan(path: Path) -> Plan:
    """Read a plan; BadInput names the file and the field."""
    return _load(path, Plan)


_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def load_event(*, new: Path | None, cancel: str | None, no_show: str | None, late: str | None, gone: str | None) -> Event:
    """The one event that was given: a request's file, `r12/return`, `d3=25` or `d3`; BadInput says what is wrong with it."""
    given: dict[str, dict[str, object]] = {}
    if new is not None:
        given["new_request"] = {"request": _load(new, Request)}
    for kind, text in (("cancelled", cancel), ("no_show", no_show)):
        if text is not None:
            request, _, way = text.partition("/")
            given[kind] = {"request": request, **({"leg": way} if way else {})}
    if late is not None:
        driver, _, minutes = late.partition("=")
        given["volunteer_late"] = {"driver": driver, "minutes": int(minutes) if minutes.isascii() and minutes.isdigit() else minutes}
    if gone is not None:
        given["volunteer_gone"] = {"driver": gone}
    if len(given) != 1:
        raise BadInput([Fault("event", "missing", "give exactly one of --new, --cancel, --no-show, --late, --gone")])
    ((kind, parts),) = given.items()
    try:
        return _EVENT.validate_python({"kind": kind, **parts})
    except ValidationError as error:
        raise BadInput.from_validation(error, "event") from None


def _load(path: Path, model: type[T]) -> T:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput([Fault("", "too_large", "is larger than 256 MiB")], path.name)
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadInput([Fault("", "missing", "there is no such file")], path.name) from None
    except OSError:
        raise BadInput([Fault("", "unreadable", "cannot be read; is it a file, and may you read it?")], path.name) from None
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise BadInput.from_validation(error, path.name) from None


def write_text(path: Path, text: str) -> None:
    """Write beside, then rename: a reader sees the old file or the new one, never half of it."""
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        if name:
            Path(name).unlink(missing_ok=True)
        raise BadInput([Fault("", "unwritable", "cannot be written; does the folder exist?")], path.name) from None
