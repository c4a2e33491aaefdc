"""Tables of what is told to people and to other systems: the outbox, texts a territory has changed, webhooks, calendars' links.

Whom a notice is for is a random number, names are in the vault, and a link in a notice is sealed. Written by `storage.notices`; webhooks'
deliveries by the database itself, with the event they tell about (migrations).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.model.notices import FORMS, KINDS, LANGUAGES, STATES
from dispatch.storage.base import OfTerritory, Table, one_of, where, within


class _Sent:
    """Columns of what is sent until it has arrived: whoever holds the newest token before `lease_until` sends it."""

    state: Mapped[str] = mapped_column(sa.String(10), server_default="queued", default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    next_try_at: Mapped[datetime]
    token: Mapped[int] = mapped_column(server_default="0", default=0)
    lease_until: Mapped[float | None]  # seconds since 1970, by the database's clock
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(sa.String(40))  # a code


class Notice(_Sent, OfTerritory, Table):
    """One thing that somebody is to be told. Queued in the transaction of what it is about: either both are there or neither."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", STATES),
        sa.ForeignKeyConstraint(["territory_id", "person_id"], ["person.territory_id", "person.id"]),
        sa.UniqueConstraint("territory_id", "id"),
        sa.UniqueConstraint("territory_id", "key"),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_at_some_time"),
        sa.Index("ix_notice_waiting", "territory_id", "next_try_at", **where("state IN ('queued', 'sending')")),
        sa.Index("ix_notice_order", "territory_id", "person_id", "number"),
        sa.Index("ix_notice_calls", "territory_id", "next_try_at", **where("state = 'to_call'")),
        sa.Index("ix_notice_failed", "territory_id", "created_at", **where("state = 'failed'")),
        sa.Index(None, "territory_id", "created_at", "id"),
        sa.Index(None, "about"),
    )
    kind: Mapped[str] = mapped_column(sa.String(30))
    person_id: Mapped[UUID | None]  # none: the territory's coordinators
    about: Mapped[UUID]
    facts: Mapped[dict[str, Any]]
    link: Mapped[bytes | None]  # sealed: whoever has it may answer
    link_path: Mapped[str | None] = mapped_column(sa.String(200))  # of a link that is signed when the message is made
    key: Mapped[str | None] = mapped_column(sa.String(120))  # queued once
    number: Mapped[int]  # grows with every notice to this person: they arrive in this order
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    channel: Mapped[str | None] = mapped_column(sa.String(10))  # chosen when it is sent
    refused: Mapped[list[str]] = mapped_column(sa.JSON(), server_default="[]", default=list)  # ways that did not work: `notices.choice`
    provider_id: Mapped[str | None] = mapped_column(sa.String(200))


class NoticeText(OfTerritory, Table):
    """A text that a territory says in its own words."""

    __tablename__ = "notice_text"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("language", LANGUAGES),
        one_of("form", FORMS),
        sa.UniqueConstraint("territory_id", "kind", "language", "form"),
    )
    kind: Mapped[str] = mapped_column(sa.String(30))
    language: Mapped[str] = mapped_column(sa.String(2))
    form: Mapped[str] = mapped_column(sa.String(5))
    subject: Mapped[str | None] = mapped_column(sa.String(200))
    body: Mapped[str] = mapped_column(sa.Text)


class WebhookEndpoint(OfTerritory, Table):
    """An address of another system that is told what has changed."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (sa.UniqueConstraint("territory_id", "id"),)
    url: Mapped[str] = mapped_column(sa.String(2000))
    events: Mapped[list[str]]  # such as `leg.confirmed`
    secret: Mapped[bytes]  # sealed; signs every message
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(sa.String(40))  # why it was disabled


class WebhookDelivery(_Sent, Table):
    """One event on its way to one address. The database adds it with the event."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["territory_id", "endpoint_id"], ["webhook_endpoint.territory_id", "webhook_endpoint.id"], ondelete="CASCADE"
        ),
        one_of("state", ("queued", "sending", "sent", "failed")),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_at_some_time"),
        sa.Index("ix_webhook_delivery_waiting", "territory_id", "next_try_at", **where("state IN ('queued', 'sending')")),
        sa.Index("ix_webhook_delivery_order", "endpoint_id", "subject_id", "seq"),
    )
    event_id: Mapped[UUID] = mapped_column(sa.ForeignKey("event.id"), primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"))
    subject_id: Mapped[UUID]
    seq: Mapped[int]  # of the event: what happens to one thing is told in order


class CalendarLink(OfTerritory, Table):
    """Opens a volunteer's runs to the calendar of a telephone. The newest one only."""

    __tablename__ = "calendar_link"
    __table_args__ = (*within("volunteer_id"), sa.UniqueConstraint("territory_id", "volunteer_id"), sa.UniqueConstraint("token_sha256"))
    volunteer_id: Mapped[UUID]
    token_sha256: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
