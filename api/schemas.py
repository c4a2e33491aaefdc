"""What the API answers: one model per noun, read from rows and views. What it takes is in `dispatch.model.intake`."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from dispatch.model.day import Point, Policy
from dispatch.model.plans import Plan, Summary
from dispatch.service.offers import OfferView
from dispatch.service.trips import TripView
from dispatch.storage.tables import Round

T = TypeVar("T")


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PageQuery(BaseModel):
    """How much of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    after: UUID | None = Field(None, description="The `next` of the page before.")


PageOf = Annotated[PageQuery, Query()]


class Page(_Out, Generic[T]):
    """Newest first."""

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
    note: str


class BeneficiaryOut(_Out):
    id: UUID
    name: str
    phone: str | None
    home: Point
    wheelchair: bool
    boot: int
    needs: list[str]
    alone: bool
    load_minutes: int
    unload_minutes: int
    max_ride_minutes: int | None
    created_at: dt.datetime


class VolunteerOut(_Out):
    id: UUID
    name: str
    phone: str | None
    home: Point
    seats: int
    wheelchair_places: int
    boot: int
    accepts_needs: list[str]
    max_km: float | None
    max_rides: int | None
    active: bool
    created_at: dt.datetime


class AvailabilityOut(_Out):
    id: UUID
    volunteer_id: UUID
    starts_at: dt.datetime
    ends_at: dt.datetime


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
    return_window_minutes: int | None
    seats: int
    priority: int
    one_way_ok: bool
    same_driver: str
    needs: list[str]
    state: str = Field(examples=["submitted", "cancelled"])
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
        known = {name: getattr(view.request, name) for name in cls.model_fields if name != "legs"}
        return cls.model_validate({**known, "legs": legs})


class RoundOut(_Out):
    id: UUID
    service_date: dt.date
    state: str = Field(examples=["queued", "running", "done", "failed"])
    seconds: float
    seed: int
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
    request_id: UUID
    volunteer_id: UUID
    state: str = Field(examples=["sent", "accepted", "declined", "expired", "withdrawn"])
    sent_at: dt.datetime
    expires_at: dt.datetime
    answered_at: dt.datetime | None
    decline_reason: str | None
    seats: int
    wheelchair: bool
    needs: list[str]
    beneficiary_name: str | None
    beneficiary_phone: str | None
    legs: list[OfferLegOut]

    @classmethod
    def of(cls, view: OfferView, *, staff: bool) -> "OfferOut":
        """As staff or the volunteer may see it."""
        offer, request, person = view.offer, view.request, view.beneficiary
        full = staff or offer.state == "accepted"
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
        own = {"seats", "wheelchair", "needs", "beneficiary_name", "beneficiary_phone", "legs"}
        return cls(
            **{name: getattr(offer, name) for name in cls.model_fields if name not in own},
            seats=request.seats,
            wheelchair=person.wheelchair,
            needs=list(dict.fromkeys([*person.needs, *request.needs])),
            beneficiary_name=person.name if full else None,
            beneficiary_phone=person.phone if full else None,
            legs=legs,
        )


def _area(point: Point) -> Point:
    return round(point[0], 2), round(point[1], 2)
