"""How a territory deals with people: what may be asked for, when, and in which words. What planning goes by is `model.day.Policy`.

One section per subject, each of them complete by its defaults: a territory's row holds what was chosen when it was written, and what was
added since then takes its default. Written by managers through the API, read by services.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from dispatch.model.asking import Purpose
from dispatch.model.clock import ServiceDate
from dispatch.model.contact import Phone

Weekday = Annotated[int, Field(ge=0, le=6)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

SchoolZone = Literal["A", "B", "C", "corsica"]
Region = Literal["metropole", "alsace", "moselle", "guadeloupe", "martinique", "guyane", "reunion", "mayotte"]


class Section(BaseModel):
    """A subject. Everything in it has a default, and a sentence that says what it does."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Booking(Section):
    """What may be asked for, and how long before. Staff may go past the times: they know why."""

    notice_minutes: int = Field(0, ge=0, le=43_200, description="Between asking and the pickup at least so much.")
    cut_off: TimeOfDay | None = Field(None, description="Rides of a day are asked for until this time, on the wall of the territory,")
    cut_off_days: int = Field(1, ge=0, le=30, description="so many days before; 0 is the same day.")
    open_from: TimeOfDay | None = Field(None, description="Rides arrive or begin between this time")
    open_until: TimeOfDay | None = Field(None, description="and this one, on the wall of the territory;")
    weekdays: tuple[Weekday, ...] = Field((0, 1, 2, 3, 4, 5, 6), strict=False, description="on these days: 0 is Monday.")
    purposes: tuple[Purpose, ...] | None = Field(None, strict=False, description="What rides may be for; anything when absent.")
    accept_at_once: bool = Field(True, description="Requests of prescribers, partners and people themselves need no look of a coordinator.")
    late_cancel_minutes: int = Field(120, ge=0, le=10_080, description="A ride given up this short before counts as cancelled late.")
    give_up_minutes: int = Field(90, ge=0, le=10_080, description="Nobody found so long before: an unmet need, and the person is told.")
    horizon_days: int = Field(400, ge=1, le=400, description="Rides are asked for at most so many days ahead.")
    series_days: int = Field(35, ge=1, le=400, description="Rides of a series are asked for so many days ahead, within the horizon.")


class Eligibility(Section):
    """Whether people need a right to rides before they ask."""

    rule: Literal["none", "asked"] = Field("none", description="none: everybody may ask. asked: whose eligibility is written in the file.")
    warn_days: int = Field(30, ge=0, le=365, description="Coordinators are told so long before it ends, where rides are planned after it.")


class Telling(Section):
    """What people read in every message."""

    phone: Phone | None = Field(None, description="The coordination's number: people are asked to call it.")
    sms_answers: bool = Field(False, description="Messages say how to answer by SMS: a gateway passes on what people send.")


class Offering(Section):
    """How volunteers are asked."""

    sending: Literal["at_once", "by_hand"] = Field("at_once", description="Offers go out as soon as a round has planned them, or by hand.")
    minutes: int | None = Field(None, ge=5, le=20_160, description="To answer; the installation's choice when absent.")
    short_hours: int = Field(24, ge=0, le=336, description="A ride sooner than this is at short notice,")
    short_minutes: int = Field(60, ge=5, le=1440, description="and there is so much time to answer;")
    very_short_hours: int = Field(4, ge=0, le=336, description="sooner than this,")
    very_short_minutes: int = Field(20, ge=5, le=1440, description="so much.")
    reminders: int = Field(2, ge=0, le=2, description="At half of the time to answer, and shortly before its end.")
    quiet_from: TimeOfDay = Field("21:00", description="Nobody is written to from here")
    quiet_until: TimeOfDay = Field("07:30", description="to here; the same twice: at any time.")


class Driving(Section):
    """The day itself."""

    publish_at: TimeOfDay = Field("18:00", description="Volunteers are told of their next day at this time, and of every change after it.")
    wait_minutes: int = Field(10, ge=0, le=120, description="So long after the time told, and after arriving, nobody there is a no-show.")
    late_minutes: int = Field(15, ge=1, le=240, description="A ride nobody has begun so long after the time told needs a human.")
    tell_late_minutes: int = Field(
        10,
        ge=5,
        le=120,
        description="People hear when the car is expected so much later than they were told, and again for as much more.",
    )


class CredentialKind(Section):
    """A paper that volunteers of this territory are asked for."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,29}$", description="Never used for another paper.")
    fr: str = Field(min_length=1, max_length=60)
    en: str = Field(min_length=1, max_length=60)
    required: bool = Field(False, description="Missing ones are listed.")
    blocking: bool = Field(False, description="Nobody drives without it: on the days it does not hold, the volunteer is not planned.")
    months: int | None = Field(None, ge=1, le=600, description="It holds so long from its issue, where nothing else is said.")
    warn_days: int = Field(30, ge=0, le=365, description="The volunteer is told so long before it ends.")


_PAPERS = (
    CredentialKind(code="licence", fr="Permis de conduire", en="Driving licence", required=True),
    CredentialKind(code="insurance", fr="Assurance de la voiture", en="Car insurance", required=True, months=12),
    CredentialKind(code="technical_inspection", fr="Contrôle technique", en="Technical inspection", required=True, months=24),
    CredentialKind(code="insurer_notice", fr="Déclaration à l'assureur", en="Notice to the insurer"),
    CredentialKind(code="charter", fr="Charte du bénévole", en="Volunteer's charter"),
    CredentialKind(code="training", fr="Formation", en="Training"),
    CredentialKind(code="identity", fr="Pièce d'identité", en="Identity card"),
    CredentialKind(code="b3", fr="Extrait de casier judiciaire (B3)", en="Criminal record extract (B3)", months=36),
    CredentialKind(code="medical", fr="Avis médical d'aptitude", en="Medical fitness"),
)


class Credentials(Section):
    """Papers of volunteers. None of them blocks until the territory says so."""

    kinds: tuple[CredentialKind, ...] = Field(_PAPERS, strict=False, max_length=40, description="What volunteers may be asked for.")

    @field_validator("kinds")
    @classmethod
    def _once(cls, kinds: tuple[CredentialKind, ...]) -> tuple[CredentialKind, ...]:
        if len({kind.code for kind in kinds}) < len(kinds):
            raise ValueError("must have each code once")
        return kinds

    def kind(self, code: str) -> CredentialKind | None:
        """Of this code."""
        return next((kind for kind in self.kinds if kind.code == code), None)


class FreeDays(Section):
    """Days without school, the first and the last one."""

    first_day: ServiceDate = Field(strict=False)
    last_day: ServiceDate = Field(strict=False)


class Holidays(Section):
    """Which days are free, for series that leave them out."""

    region: Region = Field("metropole", description="Whose public holidays.")
    school_zone: SchoolZone | None = Field(None, description="Of the national calendar (docs/requests.md says until when it is known).")
    school: tuple[FreeDays, ...] = Field((), strict=False, max_length=60, description="Further days without school.")


class Rules(Section):
    """All sections."""

    booking: Booking = Booking()
    eligibility: Eligibility = Eligibility()
    offers: Offering = Offering()
    driving: Driving = Driving()
    telling: Telling = Telling()
    credentials: Credentials = Credentials()
    holidays: Holidays = Holidays()
