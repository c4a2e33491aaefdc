"""What the API answers: one model per noun, read from rows and views. What it takes is in `dispatch.model.intake`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from dispatch.model.day import Policy
from dispatch.model.intake import RowId
from dispatch.model.plans import Plan, Summary
from dispatch.model.rules import Rules
from dispatch.model.slots import Slot
from dispatch.service.asking import bundle_of
from dispatch.service.offers import OfferView
from dispatch.service.trips import PLACES, TripView
from dispatch.storage.accounts import Account
from dispatch.storage.tables import Beneficiary, Round, Volunteer
from dispatch.storage.vault import Identity

T = TypeVar("T")
_PLACE = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2, "description": "[lon, lat], WGS 84"}
_IDENTITY = {field.name for field in fields(Identity)}
Point = Annotated[tuple[float, float], WithJsonSchema(_PLACE)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("must be a whole number")
    return value


class PageQuery(BaseModel):
    """How much of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, BeforeValidator(_digits)] = Field(50, ge=1, le=200)
    after: RowId | None = Field(None, description="The `next` of the page before.")


PageOf = Annotated[PageQuery, Query()]


class Page(_Out, Generic[T]):
    """Part of a list."""

    items: list[T]
    next: UUID | None = Field(description="Give it as `after` to go on; null at the end.")


def page_of(rows: Sequence[Any], items: list[T], query: PageQuery) -> Page[T]:
    """A full page may have a next one."""
    return Page[T](items=items, next=rows[-1].id if len(rows) == query.limit else None)


class TerritoryOut(_Out):
    id: UUID
    name: str
    timezone: str
    policy: Policy
    rules: Rules
    timetable: list[Slot]
    queue: str
    note: str


class _PersonOut(_Out):
    @classmethod
    def of(cls, row: Beneficiary | Volunteer, identity: Identity) -> Self:
        """A file, and whose it is."""
        known = {name: getattr(row, name) for name in cls.model_fields if name not in _IDENTITY}
        return cls.model_validate({**known, **{name: getattr(identity, name) for name in _IDENTITY & set(cls.model_fields)}})


class BeneficiaryOut(_PersonOut):
    id: UUID
    name: str
    phone: str | None
    email: str | None
    language: str
    preferred_channel: str | None
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
    home: Point
    wheelchair: bool
    boot: int
    needs: list[str]
    alone: bool
    load_minutes: int
    unload_minutes: int
    max_ride_minutes: int | None
    created_at: dt.datetime


class VolunteerOut(_PersonOut):
    id: UUID
    name: str
    phone: str | None
    email: str | None
    language: str
    preferred_channel: str | None
    home: Point
    seats: int
    wheelchair_places: int
    boot: int
    accepts_needs: list[str]
    max_km: float | None
    max_rides: int | None
    max_km_week: float | None
    max_rides_week: int | None
    wished_rides: int | None
    max_duty_minutes: int | None
    radius_km: float | None
    car: str | None
    low_step: bool
    fold_wheelchair: bool
    front_seat: bool
    child_seats: int
    fiscal_power: int | None
    engagement: str = Field(examples=["applied", "vetting", "active", "suspended", "left", "refused"])
    active: bool = Field(description="The engagement is active: this volunteer may be asked.")
    created_at: dt.datetime


class AvailabilityOut(_Out):
    id: UUID
    volunteer_id: UUID
    starts_at: dt.datetime
    ends_at: dt.datetime
    instead: bool = Field(description="The weekly hours do not hold on that day.")


class ReasonOut(_Out):
    """Why nobody was found, as a code and in words."""

    reason: str
    sentence: str
    sentence_en: str


class LegOut(_Out):
    id: UUID
    direction: str
    state: str = Field(examples=["pending", "standby", "offered", "confirmed", "cancelled"])
    volunteer_id: UUID | None = Field(description="Who is asked or has agreed.")
    told_pickup_at: dt.datetime | None
    dropoff_at: dt.datetime | None
    unserved: ReasonOut | None


class UnmetNeedOut(_Out):
    """A way nobody drove. Places are rounded to about a kilometre."""

    id: UUID
    leg_id: UUID
    service_date: dt.date
    direction: str
    origin: Point
    destination: Point
    purpose: str | None
    cause: str = Field(examples=["NO_DRIVER_WINDOW", "ALL_DECLINED", "TOO_FAR"])
    noted_at: dt.datetime
    solved_by: UUID | None = Field(description="A later request of the same person to the same place that was driven.")


class TripOut(_Out):
    id: UUID
    beneficiary_id: UUID
    service_date: dt.date
    origin: Point
    destination: Point
    arrive_by: dt.datetime | None
    depart_after: dt.datetime | None
    window_minutes: int
    return_after: dt.datetime | None
    return_open: bool
    return_window_minutes: int | None
    purpose: str | None
    channel: str
    seats: int
    priority: int
    one_way_ok: bool
    same_driver: str
    needs: list[str]
    stay_minutes: int | None
    wait_at_destination: bool
    child_seats: int
    load_minutes: int | None = Field(description="Null: the person's own.")
    unload_minutes: int | None
    origin_label: str | None
    origin_note: str | None
    destination_label: str | None
    destination_note: str | None
    state: str = Field(examples=["accepted", "cancelled"])
    created_at: dt.datetime
    legs: list[LegOut]

    @classmethod
    def of(cls, view: TripView) -> "TripOut":
        """A request and its ways."""
        legs = [
            {
                **{name: getattr(way.leg, name) for name in ("id", "direction", "state")},
                **{
                    name: getattr(way.assignment, name) if way.assignment else None
                    for name in ("volunteer_id", "told_pickup_at", "dropoff_at")
                },
                "unserved": way.unserved,
            }
            for way in view.legs
        ]
        own = {"legs", *PLACES}
        known = {name: getattr(view.request, name) for name in cls.model_fields if name not in own} | asdict(view.places)
        return cls.model_validate({**known, "legs": legs})


class RoundOut(_Out):
    id: UUID
    service_date: dt.date
    state: str = Field(examples=["queued", "running", "done", "failed"])
    seconds: float
    seed: int
    slot: dt.datetime | None = Field(
        description="The time of the timetable that asked for it; null when something waited or somebody asked."
    )
    queued_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    failure: str | None
    summary: Summary | None

    @classmethod
    def of(cls, row: Round) -> "RoundOut":
        """Without the plan."""
        known = {name: getattr(row, name) for name in RoundOut.model_fields if name != "summary"}
        return RoundOut.model_validate({**known, "summary": (row.plan or {}).get("summary")})


class RoundDetail(RoundOut):
    """A round with all of its plan: who drives whom and when, and who is left without, and why."""

    plan: Plan | None = Field(description="As in docs/plan-format.md; ids of drivers and requests are those of this API.")

    @classmethod
    def of(cls, row: Round) -> "RoundDetail":
        return cls.model_validate({**RoundOut.of(row).model_dump(), "plan": row.plan})


class OfferLegOut(_Out):
    leg_id: UUID
    direction: str
    told_pickup_at: dt.datetime
    dropoff_at: dt.datetime
    origin: Point
    destination: Point


class OfferOut(_Out):
    """A question to a volunteer. Until it is accepted places are rounded to about a kilometre, and the person has no name."""

    id: UUID
    bundle_id: UUID = Field(description="Offers that were asked as one question have the same.")
    request_id: UUID
    volunteer_id: UUID
    state: str = Field(examples=["sent", "accepted", "declined", "expired", "withdrawn"])
    sent_at: dt.datetime
    expires_at: dt.datetime
    answered_at: dt.datetime | None
    decline_reason: str | None
    answered_via: str | None = Field(examples=["account", "phone", "link", "sms"])
    again_reason: str | None = Field(description="Why a volunteer who said no, or nothing, was asked again.")
    seats: int
    wheelchair: bool
    needs: list[str]
    beneficiary_name: str | None
    beneficiary_phone: str | None
    legs: list[OfferLegOut]

    @classmethod
    def of(cls, view: OfferView, *, full: bool) -> "OfferOut":
        """With or without who it is and where exactly."""
        offer, request, person = view.offer, view.request, view.beneficiary
        ends = [request.origin, request.destination] if full else [_area(request.origin), _area(request.destination)]
        legs = [
            OfferLegOut(
                leg_id=leg.id,
                direction=leg.direction,
                told_pickup_at=told.told_pickup_at,
                dropoff_at=told.dropoff_at,
                origin=ends[0] if leg.direction == "outbound" else ends[1],
                destination=ends[1] if leg.direction == "outbound" else ends[0],
            )
            for leg, told in view.rides
        ]
        own = {"bundle_id", "seats", "wheelchair", "needs", "beneficiary_name", "beneficiary_phone", "legs"}
        return cls(
            **{name: getattr(offer, name) for name in cls.model_fields if name not in own},
            bundle_id=bundle_of(offer),
            seats=request.seats,
            wheelchair=person.wheelchair,
            needs=list(dict.fromkeys([*person.needs, *request.needs])),
            beneficiary_name=view.identity.name if full else None,
            beneficiary_phone=view.identity.phone if full else None,
            legs=legs,
        )


class RunOut(_Out):
    id: UUID
    state: str
    starts_at: dt.datetime
    ends_at: dt.datetime


class KeyOut(_Out):
    id: UUID
    role: str
    holder_id: UUID | None = Field(description="The volunteer or beneficiary who holds it.")
    scopes: list[str] | None = Field(description="What it is limited to; null: all that the role may.")
    prefix: str = Field(description="The open part of its text.")
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None


class KeyMade(KeyOut):
    text: str | None = Field(description="The key. It cannot be read again.")


class AccountOut(_Out):
    id: UUID
    role: str
    holder_id: UUID | None = Field(description="The volunteer or beneficiary whose account it is.")
    name: str
    email: str
    opened: bool = Field(description="Whether a password has been chosen.")
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Account, identity: Identity, link_token: str | None = None) -> Self:
        """An account, and whose it is."""
        known = {name: getattr(row, name) for name in ("id", "role", "holder_id", "created_at")}
        who = {"name": identity.name, "email": identity.email}
        more = {"link_token": link_token} if "link_token" in cls.model_fields else {}
        return cls.model_validate({**known, **who, **more, "opened": row.password_hash is not None})


class LinkMade(_Out):
    link_token: str | None = Field(description="To be given to that person. It works once, and cannot be read again.")


class AccountMade(AccountOut, LinkMade):
    """With what opens it."""


class SessionOut(_Out):
    role: str
    territory_id: UUID | None
    holder_id: UUID | None
    csrf_token: str | None = Field(description="Send it as X-CSRF-Token with every change; null for keys, which need none.")


class Opened(_Out):
    totp_uri: str | None = Field(description="For the application that shows codes; null for roles without a second factor. Shown once.")
    totp_svg: str | None = Field(description="The same as a QR code to be scanned, drawn here: an `<svg>` element.")


class EventOut(_Out):
    id: UUID
    kind: str = Field(examples=["request", "leg", "offer", "round", "run"])
    subject_id: UUID
    seq: int = Field(description="From 1 for each subject, without gaps.")
    before: str
    after: str
    reason: str | None
    at: dt.datetime
    actor_id: UUID | None = Field(description="The key behind it; null when the service did it by itself.")


class AccessOut(_Out):
    id: UUID
    act: str = Field(examples=["read", "made", "changed", "erased", "copied"])
    kind: str = Field(examples=["beneficiary", "volunteer"])
    subject_id: UUID | None = Field(description="Whose data; null for a list.")
    count: int = Field(description="Of people, in a list.")
    at: dt.datetime
    actor_id: UUID | None = Field(description="The key behind it; null when the service did it by itself.")


def _area(point: Point) -> Point:
    return round(point[0], 2), round(point[1], 2)
