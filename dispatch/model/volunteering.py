"""What volunteers and staff tell about volunteering: hours, absences, papers, steps from application to farewell.

Strict, as `model.intake`, which has people themselves. Read by the API and services.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dispatch.model.clock import FIRST, ServiceDate
from dispatch.model.intake import Instant

#: A time of day, or midnight at its end.
WallClock = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Step = Literal["vetting", "active", "suspended", "left", "refused"]
PaperKind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
#: How a file begins, by what it is.
MAGIC = {"application/pdf": b"%PDF-", "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
MOST_ABSENT = timedelta(days=400)


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _example(body: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [body]})


class Hours(_Told):
    """Hours of a weekday."""

    weekday: int = Field(ge=1, le=7, description="1 is Monday.")
    starts: WallClock
    ends: WallClock = Field(description="On the same day; 24:00 is midnight.")
    valid_from: ServiceDate = Field(FIRST, strict=False, description="The first day; with every_weeks, a day of the first week.")
    valid_until: ServiceDate | None = Field(None, strict=False, description="The last day.")
    every_weeks: int = Field(1, ge=1, le=8, description="2: every other week, counted from that of valid_from.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ends <= self.starts:
            raise ValueError("must end after they start; hours past midnight are two rows")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("must not stop being valid before they begin")
        if self.every_weeks > 1 and self.valid_from == FIRST:
            raise ValueError("need valid_from when they are not of every week: weeks are counted from there")
        return self


class WeeklyGrid(_Told):
    """All weekly hours of a volunteer, written anew."""

    model_config = _example({"hours": [{"weekday": 1, "starts": "08:00", "ends": "12:00"}]})

    hours: tuple[Hours, ...] = Field(strict=False, max_length=50)


class NewTie(_Told):
    """What speaks for putting a volunteer and a person into one car."""

    model_config = _example({"preferred": True})

    preferred: bool = Field(False, description="The person would rather ride with this volunteer.")
    known: bool = Field(False, description="The volunteer knows the person well.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.preferred or self.known):
            raise ValueError("says nothing: give preferred, known, or both")
        return self


class NewAbsence(_Told):
    """Days, or hours, in which a volunteer does not drive. Why is not asked."""

    model_config = _example({"first_day": "2026-12-21", "last_day": "2027-01-03"})

    first_day: ServiceDate | None = Field(None, strict=False)
    last_day: ServiceDate | None = Field(None, strict=False, description="Of the absence; the first day alone when absent.")
    starts_at: Instant | None = Field(None, description="Or hours: from here")
    ends_at: Instant | None = Field(None, description="to here.")

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        days, hours = self.first_day is not None, self.starts_at is not None and self.ends_at is not None
        if days == hours or (self.last_day is not None and not days) or (days and (self.starts_at or self.ends_at)):
            raise ValueError("give either first_day, with or without last_day, or starts_at and ends_at")
        if self.first_day is not None and self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("last_day must not be before first_day")
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        if self._longer_than(MOST_ABSENT):
            raise ValueError(f"lasts more than {MOST_ABSENT.days} days: let the volunteer leave instead")
        return self

    def _longer_than(self, most: timedelta) -> bool:
        if self.starts_at is not None and self.ends_at is not None:
            return self.ends_at - self.starts_at > most
        return self.first_day is not None and self.last_day is not None and self.last_day - self.first_day >= most


class NextStep(_Told):
    """Where a volunteer goes next on the way from application to farewell."""

    model_config = _example({"to": "suspended"})

    to: Step


class NewCredential(_Told):
    """A paper that a volunteer hands in."""

    model_config = _example({"kind": "licence", "issued_on": "2019-05-14"})

    kind: PaperKind = Field(description="A code of the territory's list: `rules.credentials`.")
    issued_on: ServiceDate | None = Field(None, strict=False)
    expires_on: ServiceDate | None = Field(None, strict=False, description="The first day on which it does not hold any more.")


class Verified(_Told):
    """What somebody saw who looked at the paper; what is left out stays as it was handed in."""

    model_config = _example({"expires_on": "2027-05-14"})

    issued_on: ServiceDate | None = Field(None, strict=False)
    expires_on: ServiceDate | None = Field(None, strict=False, description="The first day on which it does not hold any more.")


class RefusedPaper(_Told):
    """Why a paper is not good."""

    model_config = _example({"reason": "unreadable"})

    reason: Literal["unreadable", "out_of_date", "other_person", "wrong_kind", "withdrawn", "other"]


def file_kind(data: bytes) -> str | None:
    """What a file is, by how it begins; None for anything that is not taken."""
    return next((kind for kind, begins in MAGIC.items() if data.startswith(begins)), None)
