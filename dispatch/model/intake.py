"""What people tell us: new territories, people, availabilities, trip requests. Strict, and the same for API and demo.

Times are instants with their offset; points are [lon, lat]; texts are cleaned of control characters and normalised (NFC).
"""

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from dispatch.model.asking import CancelReason, Direction, Purpose, RefusalCode
from dispatch.model.clock import FIRST, LAST, ServiceDate, Zone
from dispatch.model.consent import Wording
from dispatch.model.contact import Email, Phone
from dispatch.model.day import Lat, Lon, Policy
from dispatch.model.needs import Need
from dispatch.model.notices import Form, Language
from dispatch.model.roles import SCOPES, Role
from dispatch.model.rules import Rules
from dispatch.model.slots import Timetable

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII)


LINE_LENGTH = 200
MARKS_IN_A_ROW = 4  # the most that any script writes on one letter
USUAL_PRIORITY = 1  # of a request; who asks for oneself or for others does not go before everybody else
POINT_DIGITS = 7  # of degrees: a centimetre


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    kinds = [unicodedata.category(c) for c in text]
    if any(kind in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for kind in kinds):
        raise ValueError("has characters that cannot be shown")
    if "m" * (MARKS_IN_A_ROW + 1) in "".join("m" if kind in ("Mn", "Me") else "." for kind in kinds):
        raise ValueError("has too many accents on one letter")
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    if len(text) > LINE_LENGTH:  # normalising may lengthen it
        raise ValueError(f"must have at most {LINE_LENGTH} characters")
    return text


def _looks_like_a_time(value: Any) -> Any:
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE_TIME.match(value)):
        raise ValueError("must be a date and time with its offset, such as 2026-11-24T10:40:00+01:00")
    return value


def _within_the_calendar(value: datetime) -> datetime:
    if not FIRST <= value.date() <= LAST:
        raise ValueError("is beyond the calendar")
    return value


def _canonical(value: Any) -> Any:
    """One thing has one name: braces, `urn:uuid:` and ids without hyphens are none."""
    if isinstance(value, str) and not _ID.fullmatch(value):
        raise ValueError("must be an id in UUID form")
    return value


_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
RowId = Annotated[UUID, BeforeValidator(_canonical), Field(strict=False)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=LINE_LENGTH), AfterValidator(_clean)]
Instant = Annotated[AwareDatetime, BeforeValidator(_looks_like_a_time), Field(strict=False), AfterValidator(_within_the_calendar)]
Point = Annotated[
    tuple[Lon, Lat],
    AfterValidator(lambda point: (round(point[0], POINT_DIGITS), round(point[1], POINT_DIGITS))),
    Field(strict=False, examples=[[2.3969, 46.2883]], description="[lon, lat], WGS 84; seven decimals are kept"),
]


def _scope(word: str) -> str:
    if word not in SCOPES:
        raise ValueError("is not a scope (docs/authorization.md)")
    return word


KeyScope = Annotated[str, AfterValidator(_scope), WithJsonSchema({"type": "string", "enum": list(SCOPES)})]
Queue = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$"),
    Field(description="The group of territories whose rounds the same workers run: `allons worker --queues`."),
]
Needs = Annotated[tuple[Need, ...], Field(strict=False, max_length=30, examples=[["door_to_door"]])]


class Intake(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def example(body: dict[str, Any]) -> ConfigDict:
    """What the API's description shows; tests send it."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class NewTerritory(Intake):
    """A group of municipalities with its own people, rules and rates."""

    model_config = example({"name": "Pays des Trois Rivières", "timezone": "Europe/Paris"})

    name: Line = Field(examples=["Pays des Trois Rivières"])
    timezone: Zone = "Europe/Paris"
    policy: Policy = Policy()
    rules: Rules = Rules()
    timetable: Timetable = Field((), description="When days are planned anew, besides whenever something waits.")
    queue: Queue = "rounds"


class ChangedTerritory(Intake):
    """A territory's choices, written anew. Its zone stays: times that were told are in it."""

    model_config = example(
        {"name": "Pays des Trois Rivières", "policy": {}, "rules": {}, "timetable": [{"at": "17:00", "ahead": 1}], "queue": "rounds"}
    )

    name: Line
    policy: Policy
    rules: Rules
    timetable: Timetable = Field(description="When days are planned anew, besides whenever something waits.")
    queue: Queue


class _Reached(Intake):
    """How somebody is told things."""

    name: Line = Field(examples=["Jeanne Roussel"])
    phone: Phone | None = Field(None, examples=["06 12 34 56 78"])
    email: Email | None = Field(None, examples=["jeanne@example.org"])
    language: Language = Field("fr", description="Of what this person is sent or told.")
    preferred_channel: Form | None = Field(None, description="Tried first; null: whatever reaches this person.")


class NewBeneficiary(_Reached):
    """A person who asks for rides. Functional needs only, never a diagnosis."""

    model_config = example({"name": "Jeanne Roussel", "phone": "+33 6 11 22 33 44", "home": [2.3969, 46.2883], "needs": ["door_to_door"]})

    contact_name: Line | None = Field(None, description="Somebody else who may be told, such as a daughter; and how.")
    contact_phone: Phone | None = None
    contact_email: Email | None = None
    home: Point
    wheelchair: bool = False
    boot: int = Field(0, ge=0, le=20)
    needs: Needs = ()
    alone: bool = False
    load_minutes: int = Field(3, ge=0, le=60)
    unload_minutes: int = Field(2, ge=0, le=60)
    max_ride_minutes: int | None = Field(None, ge=1, le=1440)
    consent: Wording | None = Field(
        None, description="The wording to which the person has agreed, whose data somebody else gives; kept with the moment and by whom."
    )

    @model_validator(mode="after")
    def _contact_has_a_name(self) -> Self:
        if self.contact_name is None and (self.contact_phone or self.contact_email):
            raise ValueError("contact_name is needed with contact_phone or contact_email")
        return self


class Limits(Intake):
    """How much and how far a volunteer drives; what is left out or null is not limited."""

    model_config = example({"max_rides_week": 4, "radius_km": 25})

    max_km: float | None = Field(None, ge=0, le=2000, description="Per day, home to home.")
    max_rides: int | None = Field(None, ge=0, le=100, description="Per day.")
    max_km_week: float | None = Field(None, ge=0, le=10_000, description="From Monday to Sunday.")
    max_rides_week: int | None = Field(None, ge=0, le=500, description="From Monday to Sunday.")
    wished_rides: int | None = Field(None, ge=1, le=500, description="In four weeks: who wishes for more is asked more often.")
    max_duty_minutes: int | None = Field(None, ge=1, le=1440, description="The longest time away from home, in one go.")
    radius_km: float | None = Field(None, ge=1, le=1000, description="Rides begin and end within so much of home, as the crow flies.")


class _VolunteerFile(_Reached, Limits):
    """What is known of a volunteer driver and the car."""

    home: Point
    seats: int = Field(4, ge=0, le=8)
    wheelchair_places: int = Field(0, ge=0, le=4)
    boot: int = Field(4, ge=0, le=20)
    accepts_needs: Needs = ()
    car: Line | None = Field(None, examples=["Renault Clio grise"], description="As one looks for it in the street; people are told.")
    low_step: bool = Field(False, description="Easy to get in. These four are needs that the volunteer meets without saying so again.")
    fold_wheelchair: bool = Field(False, description="A folded wheelchair goes into the boot.")
    front_seat: bool = Field(False, description="The seat beside the driver is for passengers.")
    child_seats: int = Field(0, ge=0, le=4, description="Seats for children that are in the car.")
    fiscal_power: int | None = Field(None, ge=1, le=50, description="In CV, as the registration document has it; for tax receipts.")


class NewVolunteer(_VolunteerFile):
    """A volunteer driver and the car."""

    model_config = example({"name": "Jean Morel", "phone": "06 55 66 77 88", "home": [2.4021, 46.2911], "seats": 3, "max_km": 120})

    apply: bool = Field(False, description="An application, to be looked at; otherwise active at once.")


class ChangedVolunteer(_VolunteerFile):
    """A volunteer's file, written anew."""

    model_config = example({"name": "Jean Morel", "home": [2.4021, 46.2911], "active": False})

    active: bool = Field(description="Whether this volunteer may be asked.")


class NewAvailability(Intake):
    """A span in which a volunteer may be away from home."""

    model_config = example({"starts_at": "2026-11-25T08:00:00+01:00", "ends_at": "2026-11-25T12:00:00+01:00"})

    starts_at: Instant = Field(examples=["2026-11-25T08:00:00+01:00"])
    ends_at: Instant = Field(examples=["2026-11-25T12:00:00+01:00"])
    instead: bool = Field(False, description="The weekly hours do not hold on that day.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        if self.ends_at - self.starts_at > timedelta(hours=24):
            raise ValueError("a span lasts at most 24 hours; give several")
        return self


class Wish(Intake):
    """What is wished for, but for when: of one ride, and of every ride of a series."""

    beneficiary_id: RowId
    origin: Point
    destination: Point
    window_minutes: int = Field(30, ge=0, le=1440)
    return_open: bool = Field(False, description="There is a way back, at a time that is not known yet: it is told when it is.")
    return_window_minutes: int | None = Field(None, ge=0, le=1440)
    seats: int = Field(1, ge=1, le=8, description="Persons travelling, the beneficiary and companions.")
    priority: int = Field(USUAL_PRIORITY, ge=1, le=1000, description="Above the usual only by staff.")
    one_way_ok: bool = False
    same_driver: Literal["prefer", "require"] = "prefer"
    needs: Needs = Field((), description="Besides those of the beneficiary.")
    purpose: Purpose | None = Field(None, description="What for; some territories drive for some purposes only.")
    child_seats: int = Field(0, ge=0, le=4, description="Children among `seats` who need a seat of their own, there in the car.")
    load_minutes: int | None = Field(None, ge=0, le=60, description="To get in on this ride; the person's own when absent.")
    unload_minutes: int | None = Field(None, ge=0, le=60, description="To get out on this ride; the person's own when absent.")
    override: bool = Field(
        False, description="Past the territory's booking rules and eligibility, or in spite of another ride then; by staff only."
    )


class NewTrip(Wish):
    """A wish for a ride, with or without the way back."""

    model_config = example(
        {
            "beneficiary_id": "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10",
            "origin": [2.3969, 46.2883],
            "destination": [2.4102, 46.3007],
            "arrive_by": "2026-11-25T10:40:00+01:00",
            "return_after": "2026-11-25T11:30:00+01:00",
        }
    )

    arrive_by: Instant | None = Field(None, examples=["2026-11-25T10:40:00+01:00"])
    depart_after: Instant | None = None
    return_after: Instant | None = Field(None, examples=["2026-11-25T11:30:00+01:00"])
    stay_minutes: int | None = Field(None, ge=1, le=1440, description="Of the appointment: the way back begins so long after arrive_by.")
    wait_at_destination: bool = Field(False, description="The volunteer waits there: the same one brings the person back.")
    origin_label: Line | None = Field(None, examples=["12 rue de l'Église"], description="As people call the place. Sealed.")
    origin_note: Line | None = Field(None, examples=["Sonnez deux fois"], description="How to find or get in. Sealed.")
    destination_label: Line | None = Field(None, examples=["Hôpital, porte B"])
    destination_note: Line | None = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        moment = self.arrive_by or self.depart_after
        if moment is None or (self.arrive_by and self.depart_after):
            raise ValueError("give either arrive_by or depart_after, not both and not neither")
        if self.return_after is not None and self.return_after < moment:
            raise ValueError("return_after must not be before the way there")
        if self.return_after is not None and self.return_open:
            raise ValueError("give either return_after or return_open: a time that is known is not open")
        if self.return_after is not None and self.return_after - moment > timedelta(hours=24):
            raise ValueError("return_after must be on the same day; make two requests otherwise")
        if self.stay_minutes is not None and self.arrive_by is None and self.return_after is None:
            raise ValueError("stay_minutes needs arrive_by: nobody knows when the stay begins otherwise")
        if self.wait_at_destination and self.whole.return_after is None:
            raise ValueError("wait_at_destination needs a way back whose time is known: give return_after or stay_minutes")
        return self

    @property
    def whole(self) -> Self:
        """With the way back that follows from how long the stay is."""
        if self.stay_minutes is None or self.arrive_by is None or self.return_after is not None or self.return_open:
            return self
        return self.model_copy(update={"return_after": self.arrive_by + timedelta(minutes=self.stay_minutes)})

    @property
    def moment(self) -> datetime:
        """When the way there arrives or departs."""
        return self.arrive_by or self.depart_after  # type: ignore[return-value] # one of them is there: _one_time


class Cancel(Intake):
    """Why a ride is not needed any more, all of it or one way."""

    model_config = example({"reason": "changed_my_mind"})

    reason: CancelReason = "other"
    leg: Direction | None = Field(None, description="Both ways when absent.")


class Refusal(Intake):
    """Why a request cannot be accepted."""

    model_config = example({"code": "no_vehicles_available"})

    code: RefusalCode


class ReadyAt(Intake):
    """Somebody who was taken there can be brought back."""

    model_config = example({"ready_at": "2026-11-25T11:50:00+01:00"})

    ready_at: Instant


DeclineReason = Literal["schedule_conflict", "too_far", "vehicle_issue", "personal", "other"]


class Decline(Intake):
    """Why a volunteer cannot."""

    model_config = example({"reason": "schedule_conflict"})

    reason: DeclineReason


class NewRound(Intake):
    """Plan a day now."""

    model_config = example({"date": "2026-11-25", "seconds": 10})

    date: ServiceDate = Field(strict=False, examples=["2026-11-25"])
    seconds: float | None = Field(None, ge=0.2, le=600, description="Wall clock for solving; the installation's choice when absent.")
    seed: int = Field(1, ge=0, le=2**31 - 1)


Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
#: Any characters; length is what makes it strong (NIST SP 800-63B).
Password = Annotated[str, StringConstraints(min_length=12, max_length=200), AfterValidator(lambda text: unicodedata.normalize("NFC", text))]


class NewAccount(Intake):
    """Somebody who will log in."""

    model_config = example({"role": "coordinator", "name": "Claire Dubois", "email": "claire@example.org"})

    role: Role
    name: Line = Field(examples=["Claire Dubois"])
    email: Email
    holder_id: RowId | None = Field(None, description="The volunteer or beneficiary whose account it is.")
