"""What the API answers about volunteers' lives: hours, absences, papers, the ledger, and rides that a change takes away."""

import datetime as dt
from collections.abc import Sequence
from typing import Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import AvailabilityOut, OfferOut, RunOut, VolunteerOut
from dispatch.service.consequences import TouchedRide
from dispatch.storage.volunteer_tables import Credential

T = TypeVar("T")


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TouchedOut(_Out):
    """A way that this volunteer does not drive any more: it is open again."""

    leg_id: UUID
    request_id: UUID
    direction: str
    state: str = Field(description="As it was before.", examples=["offered", "confirmed"])
    pickup_at: dt.datetime
    reason: str = Field(examples=["away", "not_active", "refused", "needs", "car", "too_far", "together"])


class Touching(_Out, Generic[T]):
    """A change, and the rides that it reopens, or would reopen (`dry_run`)."""

    done: bool = Field(description="False: a dry run, and nothing was changed.")
    touched: list[TouchedOut]
    result: T | None

    @classmethod
    def of(cls, result: T | None, touched: Sequence[TouchedRide], *, dry_run: bool) -> Self:
        """What became of a change; what a dry run made is not there, and has no id to be told."""
        return cls(done=not dry_run, touched=[TouchedOut.model_validate(ride) for ride in touched], result=None if dry_run else result)


class HoursOut(_Out):
    weekday: int = Field(description="1 is Monday.")
    starts: str
    ends: str
    valid_from: dt.date
    valid_until: dt.date | None
    every_weeks: int


class WeekOut(_Out):
    """All weekly hours of a volunteer."""

    hours: list[HoursOut]


class LimitsOut(_Out):
    """How much and how far a volunteer drives; null: not limited."""

    max_km: float | None
    max_rides: int | None
    max_km_week: float | None
    max_rides_week: int | None
    wished_rides: int | None
    max_duty_minutes: int | None
    radius_km: float | None


class AbsenceOut(_Out):
    id: UUID
    volunteer_id: UUID
    starts_at: dt.datetime
    ends_at: dt.datetime


class EngagementOut(_Out):
    volunteer_id: UUID
    state: str = Field(examples=["applied", "vetting", "active", "suspended", "left", "refused"])


class CredentialOut(_Out):
    id: UUID
    volunteer_id: UUID
    kind: str
    state: str = Field(examples=["submitted", "valid", "expired", "replaced", "refused"])
    issued_on: dt.date | None
    expires_on: dt.date | None = Field(description="The first day on which it does not hold any more; null: always.")
    verified_by: UUID | None = Field(description="The key or account of who looked at it.")
    verified_at: dt.datetime | None
    has_file: bool
    created_at: dt.datetime

    @classmethod
    def of(cls, row: Credential, *, has_file: bool) -> Self:
        """A paper, with or without its picture."""
        known = {name: getattr(row, name) for name in cls.model_fields if name != "has_file"}
        return cls.model_validate({**known, "has_file": has_file})


class PapersOut(_Out):
    """Papers of a volunteer, newest first, and what is missing."""

    papers: list[CredentialOut]
    missing: list[str] = Field(description="Kinds that the territory wants and that do not hold today.")


class LedgerOut(_Out):
    """Four weeks of somebody's goodwill."""

    since: dt.datetime
    rides: int
    minutes: int = Field(description="Away from home, as planned.")
    km: float = Field(description="Home to home, as planned.")
    offers: int
    accepted: int
    declines: int
    lapses: int


class RefusalsOut(_Out):
    """Whom a volunteer does not drive, whoever of the two asked for it."""

    beneficiary_ids: list[UUID]


class TieOut(_Out):
    """What speaks for putting a volunteer and a person into one car."""

    volunteer_id: UUID
    beneficiary_id: UUID
    preferred: bool
    known: bool


class TiesOut(_Out):
    """Of a volunteer or a person."""

    items: list[TieOut]


class ChangedVolunteerOut(VolunteerOut):
    """A file as it is now, and rides that did not fit it any more."""

    touched: list[TouchedOut]


class VolunteerCopy(_Out):
    """All that is kept about a volunteer."""

    person: VolunteerOut
    weekly_hours: list[HoursOut]
    availability: list[AvailabilityOut]
    absences: list[AbsenceOut]
    papers: list[CredentialOut]
    offers: list[OfferOut]
    runs: list[RunOut]
    knows_well: list[UUID] = Field(description="Beneficiaries.")
