"""What people send about telling: calls that were made, texts in their own words, addresses of other systems. As `model.intake`."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from dispatch.model.intake import Line
from dispatch.model.lifecycle import TABLE

#: Steps that other systems may be told of, such as `leg.confirmed`.
EVENTS: tuple[str, ...] = tuple(
    sorted({f"{kind}.{after}" for kind, table in TABLE.items() for followers in table.values() for after in followers})
)


def _event(word: str) -> str:
    if word not in EVENTS:
        raise ValueError("is not an event (docs/webhooks.md)")
    return word


def _prose(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and letter != "\n" for letter in text):
        raise ValueError("has characters that cannot be shown")
    if not text:
        raise ValueError("must not be empty")
    return text


EventName = Annotated[str, AfterValidator(_event), WithJsonSchema({"type": "string", "enum": list(EVENTS)})]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_prose)]


class _Intake(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _example(body: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [body]})


class Called(_Intake):
    """What became of a call."""

    model_config = _example({"outcome": "reached"})

    outcome: Literal["reached", "no_answer", "wrong_number"] = Field(description="No answer: it is on the list again in an hour.")


class OwnText(_Intake):
    """A message in a territory's own words. Placeholders such as {first_name} or {prenom} are filled in when it is sent."""

    model_config = _example({"subject": "Un trajet {jour}", "body": "{prenom}, pouvez-vous conduire {passager} {jour} à {heure} ?\n{lien}"})

    subject: Line | None = Field(None, description="Of a mail; nothing else has one.")
    body: Prose


class NewWebhook(_Intake):
    """An address of another system, and what it is told of."""

    model_config = _example({"url": "https://hooks.example.org/allons", "events": ["leg.confirmed", "leg.cancelled"]})

    url: Annotated[str, StringConstraints(min_length=1, max_length=4000)] = Field(
        description="https, a public name, port 443 or 8443.", examples=["https://hooks.example.org/allons"]
    )
    events: Annotated[tuple[EventName, ...], Field(strict=False, min_length=1, max_length=60, examples=[["leg.confirmed"]])]
