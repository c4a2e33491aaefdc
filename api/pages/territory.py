"""The choices of a territory, each with what it does. Managers change them; everybody who coordinates reads them.

Lists (weekdays, purposes, papers, holidays, timetable) stay as they are here: they are changed through the API.
"""

import types
from typing import Any, Literal, Union, get_args, get_origin

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from api.pages.visit import VisitOf
from api.pages.words.territory import CHOICES
from dispatch.model.day import Policy
from dispatch.model.rules import Booking, Driving, Eligibility, Offering, Telling
from dispatch.service.people import policy_of, rules_of

router = APIRouter(include_in_schema=False)
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("booking", Booking), ("eligibility", Eligibility), ("offers", Offering), ("driving", Driving), ("telling", Telling),
    ("policy", Policy),
)  # fmt: skip


@router.get("/territory")
def show_territory(visit: VisitOf) -> HTMLResponse:
    """All of them."""
    with visit.reading() as store:
        territory = store.territory()
    policy, rules = policy_of(territory), rules_of(territory)
    whole = {
        "name": territory.name,
        "policy": policy.model_dump(mode="json"),
        "rules": rules.model_dump(mode="json"),
        "timetable": territory.timetable,
        "queue": territory.queue,
    }
    english = visit.language == "en"
    sections = [
        (name, [_choice(name, field, info, policy if name == "policy" else getattr(rules, name), english) for field, info in simple(model)])
        for name, model in SECTIONS
    ]
    return visit.page("files/territory.html", territory, sections=sections, whole=whole, version=territory.version, english=english)


def simple(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """Fields that are one number, time, word, choice or yes and no."""
    return [(name, info) for name, info in model.model_fields.items() if _kind(info) is not None]


def _choice(section: str, field: str, info: FieldInfo, values: BaseModel, english: bool) -> dict[str, Any]:
    kind = _kind(info)
    return {
        "name": f"policy.{field}" if section == "policy" else f"rules.{section}.{field}",
        "said": info.description if english else CHOICES.get(f"{section}.{field}", info.description),
        "kind": kind,
        "choices": get_args(info.annotation) if kind == "choice" else (),
        "value": getattr(values, field),
    }


def _kind(info: FieldInfo) -> str | None:
    found = info.annotation
    if get_origin(found) in (Union, types.UnionType):
        found = next(part for part in get_args(found) if part is not type(None))
    if get_origin(found) is Literal:
        return "choice"
    known = {bool: "flag", int: "number", float: "number"}
    if found in known:
        return known[found]
    is_word = found is str or str in getattr(found, "__args__", ()) or getattr(found, "__origin__", None) is str
    return "word" if is_word else None
