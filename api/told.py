"""What the API answers about telling: notices, calls, texts, webhooks, calendars. Read from rows and views, as `api.schemas`."""

import datetime as dt
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dispatch.model.sms import OUTCOMES
from dispatch.notices.texts import Text
from dispatch.service.calls import Call
from dispatch.service.sms import SmsView
from dispatch.service.texts import TextView
from dispatch.storage.notice_tables import Notice, WebhookEndpoint


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class NoticeOut(_Out):
    """What somebody was or is to be told; whose name and words are in the vault and in `text`."""

    id: UUID
    kind: str = Field(examples=["offer_sent", "ride_confirmed"])
    person_id: UUID | None = Field(description="Null: the coordinators.")
    about: UUID
    state: str = Field(examples=["queued", "sending", "sent", "failed", "to_call", "called", "dropped"])
    channel: str | None = Field(examples=["sms", "email", "call", "log"])
    attempts: int
    failure: str | None = Field(description="Why the last try did not work, as a code.")
    created_at: dt.datetime
    not_before: dt.datetime
    next_try_at: dt.datetime
    sent_at: dt.datetime | None


class TextOut(_Out):
    """A subject, of mails, and words."""

    subject: str | None
    body: str

    @classmethod
    def of(cls, text: Text) -> "TextOut":
        return cls(subject=text.subject, body=text.body)


class NoticeDetail(NoticeOut):
    """With its words, made anew from what is known now."""

    text: TextOut

    @classmethod
    def of(cls, row: Notice, text: Text) -> "NoticeDetail":
        return cls(**NoticeOut.model_validate(row).model_dump(), text=TextOut.of(text))


class CallOut(_Out):
    id: UUID
    kind: str
    about: UUID
    person_id: UUID
    name: str
    number: str | None = Field(description="To dial; null when there is none: a letter, or a neighbour.")
    answers: str | None = Field(description="Who answers there, if not the person.")
    sentence: str = Field(description="Ready to be said.")
    since: dt.datetime
    attempts: int = Field(description="Calls that were made before.")

    @classmethod
    def of(cls, call: Call) -> "CallOut":
        """A call to be made."""
        row = call.notice
        known = {name: getattr(row, name) for name in ("id", "kind", "about", "person_id", "attempts")}
        told = {name: getattr(call, name) for name in ("name", "number", "answers", "sentence")}
        return cls.model_validate({**known, **told, "since": row.created_at})


class MessageTextOut(_Out):
    """A text with its placeholders."""

    kind: str
    language: str
    form: str
    subject: str | None
    body: str
    own: bool = Field(description="In the territory's own words.")
    placeholders: list[str] = Field(description="That it may have; {first_name} is {prenom} in French, and either may be written.")

    @classmethod
    def of(cls, view: TextView) -> "MessageTextOut":
        """As the territory has it."""
        names = [french if view.language == "fr" else english for english, french in view.placeholders.items()]
        where = {"kind": view.kind, "language": view.language, "form": view.form}
        return cls(**where, subject=view.text.subject, body=view.text.body, own=view.own, placeholders=names)


class WebhookOut(_Out):
    id: UUID
    url: str
    events: list[str]
    created_at: dt.datetime
    disabled_at: dt.datetime | None = Field(description="It answered 410, and is told nothing any more.")
    failure: str | None
    waiting: int = Field(description="Events on their way to it.")

    @classmethod
    def of(cls, row: WebhookEndpoint, waiting: int, **more: str) -> Self:
        """An address, and what waits for it."""
        known = {name: getattr(row, name) for name in ("id", "url", "events", "created_at", "disabled_at", "failure")}
        return cls.model_validate({**known, "waiting": waiting, **more})


class WebhookMade(WebhookOut):
    secret: str | None = Field(description="Signs every message. It cannot be read again.")


class CalendarMade(_Out):
    path: str | None = Field(description="Of the feed, to be given to a calendar. It cannot be read again; a new one ends it.")


class SmsTaken(_Out):
    """What became of an SMS."""

    id: UUID
    outcome: str = Field(examples=list(OUTCOMES))
    received_at: dt.datetime
    settled_at: dt.datetime | None = Field(description="Null: a coordinator has to read it.")


class SmsOut(SmsTaken):
    """With its words, as long as they are kept."""

    person_id: UUID | None = Field(description="Null: nobody's number, or that of several.")
    about: UUID | None = Field(description="The offer or request that it answers.")
    sender: str | None = Field(description="The number it came from.")
    text: str | None

    @classmethod
    def of(cls, view: SmsView) -> "SmsOut":
        row = view.row
        told = SmsTaken.model_validate(row).model_dump()
        return cls(**told, person_id=row.person_id, about=row.about, sender=view.sender, text=view.text)
