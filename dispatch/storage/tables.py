"""The tables. Guarantees are constraints: one active assignment and one open offer per leg, no overlapping runs, nothing across borders.

Every row of a territory carries its id, and foreign keys are composite (territory_id, id): a row cannot point into another territory.
A `state` is changed by adding an `Event`, which the database checks and carries out; triggers, policies and the ban on overlaps are in the
migrations (`0002`), since they are written for each database. Read and written through `storage.store`; changed through migrations only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column

from dispatch.storage.base import Edited, Moved, OfTerritory, Opens, Table, is_person, one_of, opens_to, state_of, told_how, where, within
from dispatch.storage.geometry import GeoPoint, LonLat


class Territory(Edited, Table):
    __tablename__ = "territory"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    timezone: Mapped[str] = mapped_column(sa.String(64))
    policy: Mapped[dict[str, Any]]  # `model.day.Policy`: what planning goes by
    rules: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)  # `model.rules.Rules`: how people are dealt with
    note: Mapped[str] = mapped_column(sa.String(400), server_default="")
    queue: Mapped[str] = mapped_column(sa.String(40), server_default="rounds", default="rounds")  # of the workers that plan it
    timetable: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON(), server_default="[]", default=list)  # `model.slots.Slot`
    created_at: Mapped[datetime]


class ApiKey(Opens, Table):
    __tablename__ = "api_key"
    __table_args__ = (*opens_to(), sa.Index(None, "territory_id"))
    scopes: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))  # none: all that the role may
    prefix: Mapped[str] = mapped_column(sa.String(16), unique=True)
    secret_sha256: Mapped[str] = mapped_column(sa.String(64))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Person(OfTerritory, Table):
    """Who a beneficiary or volunteer is, sealed with a key of their own (`storage.vault`). Planners cannot read it."""

    __tablename__ = "person"
    __table_args__ = (sa.UniqueConstraint("territory_id", "id"), sa.Index(None, "territory_id", "phone_digest"))
    sealed: Mapped[bytes | None]  # none: erased
    phone_digest: Mapped[str | None] = mapped_column(sa.String(64))  # keyed: by which the sender of an SMS is found
    sms_stopped_at: Mapped[datetime | None]  # since then this person wants none


class PersonKey(Table):
    """The key of a person, itself sealed; without it the person was erased, for good.

    Backed up apart from everything else, and only its newest state is kept: then a restored backup shows nobody who was erased since. That
    is why it points nowhere: keys may be newer than what they open.
    """

    __tablename__ = "person_key"
    __table_args__ = (
        sa.CheckConstraint("(wrapped IS NULL) = (erased_at IS NOT NULL)", name="erased_or_not"),
        sa.Index("ix_person_key_erased", "territory_id", **where("wrapped IS NULL")),
    )
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID]
    wrapped: Mapped[bytes | None]
    erased_at: Mapped[datetime | None]


class _Filed(Edited, OfTerritory):
    """Columns of people's files; names and phones are in `Person`."""

    home: Mapped[LonLat] = mapped_column(GeoPoint())
    language: Mapped[str] = mapped_column(sa.String(2), server_default="fr", default="fr")
    preferred_channel: Mapped[str | None] = mapped_column(sa.String(5))  # none: whatever reaches them
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # then only what statistics need is left


class Beneficiary(_Filed, Table):
    __tablename__ = "beneficiary"
    __table_args__ = (sa.UniqueConstraint("territory_id", "id"), is_person(), *told_how())
    wheelchair: Mapped[bool]
    boot: Mapped[int]
    needs: Mapped[list[str]]
    alone: Mapped[bool]
    load_minutes: Mapped[int]
    unload_minutes: Mapped[int]
    max_ride_minutes: Mapped[int | None]
    entered_by: Mapped[UUID | None]  # the key or account of a referrer


class Consent(OfTerritory, Table):
    """That a person has agreed, to which wording, when, and who says so. Never changed; ended by erasing the person."""

    __tablename__ = "consent"
    __table_args__ = (*within("beneficiary_id"), sa.Index(None, "beneficiary_id"))
    beneficiary_id: Mapped[UUID]
    wording: Mapped[str] = mapped_column(sa.String(20))  # `model.consent.WORDINGS`
    noted_at: Mapped[datetime]
    noted_by: Mapped[UUID | None]  # a key or account


_ENGAGEMENT = sa.table("engagement", sa.column("id", sa.Uuid()), sa.column("state", sa.String()))  # `volunteer_tables`


class Volunteer(_Filed, Table):
    __tablename__ = "volunteer"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        is_person(),
        *told_how(),
        sa.CheckConstraint("seats >= 0 AND wheelchair_places >= 0 AND boot >= 0", name="capacity"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    seats: Mapped[int]
    wheelchair_places: Mapped[int]
    boot: Mapped[int]
    accepts_needs: Mapped[list[str]]
    max_km: Mapped[float | None]
    max_rides: Mapped[int | None]
    active: Mapped[bool]  # the engagement is active: the database keeps both in step
    low_step: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    fold_wheelchair: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    front_seat: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    child_seats: Mapped[int] = mapped_column(server_default="0", default=0)
    fiscal_power: Mapped[int | None]
    radius_km: Mapped[float | None]
    max_km_week: Mapped[float | None]
    max_rides_week: Mapped[int | None]
    wished_rides: Mapped[int | None]  # in four weeks
    max_duty_minutes: Mapped[int | None]
    engagement: Mapped[str] = column_property(
        sa.select(_ENGAGEMENT.c.state).where(_ENGAGEMENT.c.id == id).correlate_except(_ENGAGEMENT).scalar_subquery()  # noqa: A003
    )


class Availability(OfTerritory, Table):
    __tablename__ = "availability"
    __table_args__ = (
        *within("volunteer_id"),
        sa.CheckConstraint("starts_at < ends_at", name="ordered"),
        sa.Index(None, "territory_id", "starts_at"),
        sa.Index(None, "volunteer_id"),
    )
    volunteer_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    instead: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)  # of the weekly hours of its day
    created_at: Mapped[datetime]


class Refusal(Table):
    """One side does not want to ride with the other. Which side is nobody's business."""

    __tablename__ = "refusal"
    __table_args__ = within("volunteer_id", "beneficiary_id")
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"))
    volunteer_id: Mapped[UUID] = mapped_column(primary_key=True)
    beneficiary_id: Mapped[UUID] = mapped_column(primary_key=True)


class Tie(Table):
    """What speaks for putting two people into one car: the person prefers this volunteer, the volunteer knows the person well."""

    __tablename__ = "tie"
    __table_args__ = (
        *within("volunteer_id", "beneficiary_id"),
        sa.CheckConstraint("preferred OR known", name="says_something"),
        sa.Index(None, "beneficiary_id"),
    )
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"))
    volunteer_id: Mapped[UUID] = mapped_column(primary_key=True)
    beneficiary_id: Mapped[UUID] = mapped_column(primary_key=True)
    preferred: Mapped[bool]
    known: Mapped[bool]


class TripRequest(Moved, Table):
    __tablename__ = "trip_request"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *within("beneficiary_id"),
        state_of("request"),
        sa.CheckConstraint("(arrive_by IS NULL) <> (depart_after IS NULL)", name="one_time"),
        sa.CheckConstraint("return_after IS NULL OR return_after >= coalesce(arrive_by, depart_after)", name="return_follows"),
        sa.CheckConstraint("seats >= 1 AND window_minutes >= 0 AND priority >= 1", name="positive"),
        sa.Index(None, "territory_id", "service_date"),
        sa.Index(None, "beneficiary_id"),
    )
    beneficiary_id: Mapped[UUID]
    service_date: Mapped[date]
    origin: Mapped[LonLat] = mapped_column(GeoPoint())
    destination: Mapped[LonLat] = mapped_column(GeoPoint())
    arrive_by: Mapped[datetime | None]
    depart_after: Mapped[datetime | None]
    window_minutes: Mapped[int]
    return_after: Mapped[datetime | None]
    return_window_minutes: Mapped[int | None]
    seats: Mapped[int]
    priority: Mapped[int]
    one_way_ok: Mapped[bool]
    same_driver: Mapped[str] = mapped_column(sa.String(10))
    needs: Mapped[list[str]]
    entered_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    purpose: Mapped[str | None] = mapped_column(sa.String(20))
    channel: Mapped[str] = mapped_column(sa.String(12), server_default="api", default="api")
    return_open: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)  # its time was not known when it was asked for
    stay_minutes: Mapped[int | None]
    wait_at_destination: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    child_seats: Mapped[int] = mapped_column(server_default="0", default=0)
    load_minutes: Mapped[int | None]  # none: the person's
    unload_minutes: Mapped[int | None]
    override: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)  # staff went past the rules
    places: Mapped[bytes | None]  # what the ends are called and how to get in, sealed with the person's key: `vault.Places`


class Leg(Moved, Table):
    __tablename__ = "leg"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        sa.UniqueConstraint("request_id", "direction"),
        *within("request_id"),
        state_of("leg"),
        one_of("direction", ("outbound", "return")),
        sa.Index(None, "territory_id", "state"),
    )
    request_id: Mapped[UUID]
    direction: Mapped[str] = mapped_column(sa.String(10))


class Round(Moved, Table):
    """A day to be planned: the job itself. Whoever holds the newest token before `lease_until` (by the database's clock) works on it."""

    __tablename__ = "round"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        state_of("round"),
        sa.Index(None, "territory_id", "service_date"),
        sa.Index("uq_round_queued", "territory_id", "service_date", unique=True, **where("state = 'queued'")),  # one waiting round a day
        sa.Index(
            "uq_round_slot", "territory_id", "service_date", "slot", unique=True, **where("slot IS NOT NULL")
        ),  # once a timetable's time
        sa.Index("uq_round_running", "territory_id", "service_date", unique=True, **where("state = 'running'")),  # and one at work
    )
    service_date: Mapped[date]
    seconds: Mapped[float]
    seed: Mapped[int]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    plan: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    failure: Mapped[str | None] = mapped_column(sa.String(40))
    token: Mapped[int] = mapped_column(server_default="0", default=0)  # grows with every claim; a result is taken with the newest only
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    lease_until: Mapped[float | None]  # seconds since 1970
    slot: Mapped[datetime | None]  # the time of the timetable that asked for it


class Run(Moved, Table):
    """A volunteer's time away from home for some legs. Two active runs of one volunteer never overlap: the database sees to it."""

    __tablename__ = "run"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *within("volunteer_id"),
        state_of("run"),
        sa.CheckConstraint("starts_at < ends_at", name="ordered"),  # also: never empty, for an empty one would overlap with nothing
        sa.Index(None, "territory_id", "service_date"),
        sa.Index(None, "volunteer_id"),
    )
    volunteer_id: Mapped[UUID]
    service_date: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(server_default="0", default=0)  # the database counts changes of times and state: for calendars
    metres: Mapped[int] = mapped_column(server_default="0", default=0)  # home to home, as planned


class Assignment(OfTerritory, Table):
    """Who drives a leg, as the last round or the volunteer's answer has it. Planners cannot change what is locked."""

    __tablename__ = "assignment"
    __table_args__ = (
        *within("leg_id", "volunteer_id", "round_id", "run_id"),
        sa.CheckConstraint("pickup_at <= dropoff_at", name="ordered"),
        sa.Index("uq_assignment_active_leg", "leg_id", unique=True, **where("active")),
        sa.Index("ix_assignment_active_run", "run_id", **where("active")),
        sa.Index(None, "volunteer_id"),
    )
    leg_id: Mapped[UUID]
    volunteer_id: Mapped[UUID]
    round_id: Mapped[UUID]
    run_id: Mapped[UUID]
    told_pickup_at: Mapped[datetime]
    pickup_at: Mapped[datetime]
    dropoff_at: Mapped[datetime]
    active: Mapped[bool]
    locked: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)  # agreed on: a person's word, not the planner's


class Offer(Moved, Table):
    """A question to one volunteer about one request: both its ways, or one of them."""

    __tablename__ = "offer"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *within("request_id", "volunteer_id", "round_id"),
        state_of("offer"),
        sa.CheckConstraint("(state = 'declined') = (decline_reason IS NOT NULL)", name="decline_has_a_reason"),
        sa.Index("ix_offer_sent", "territory_id", "expires_at", **where("state = 'sent'")),
        sa.Index(None, "territory_id", "sent_at", "id"),
        sa.Index(None, "volunteer_id"),
        sa.Index(None, "request_id"),
        sa.Index(None, "bundle_id"),
    )
    request_id: Mapped[UUID]
    volunteer_id: Mapped[UUID]
    round_id: Mapped[UUID]
    bundle_id: Mapped[UUID | None]  # the first of the offers that were asked as one question; none: asked before there were any
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]  # this and the next are the event's `at` and `reason`
    decline_reason: Mapped[str | None] = mapped_column(sa.String(30))
    answered_via: Mapped[str | None] = mapped_column(sa.String(10))  # `model.entrusting.VIA`
    again_reason: Mapped[str | None] = mapped_column(sa.String(20))  # why somebody who did not say yes before was asked again


class OfferLeg(OfTerritory, Table):
    __tablename__ = "offer_leg"
    __table_args__ = (
        *within("offer_id", "leg_id"),
        sa.UniqueConstraint("offer_id", "leg_id"),
        sa.Index("uq_offer_leg_open", "leg_id", unique=True, **where("open")),
    )
    offer_id: Mapped[UUID]
    leg_id: Mapped[UUID]
    open: Mapped[bool]  # the offer is sent or accepted


class UnservedLeg(OfTerritory, Table):
    """Why a round found nobody for a leg."""

    __tablename__ = "unserved_leg"
    __table_args__ = (*within("leg_id", "round_id"), sa.Index(None, "round_id"), sa.Index(None, "leg_id"))
    leg_id: Mapped[UUID]
    round_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(sa.String(30))
    sentence: Mapped[str] = mapped_column(sa.String(400))
    sentence_en: Mapped[str] = mapped_column(sa.String(400))


class UnmetNeed(OfTerritory, Table):
    """A way that somebody asked for and nobody drove: where about, when, what for, and why. Kept as a statistic: it names nobody."""

    __tablename__ = "unmet_need"
    __table_args__ = (
        *within("leg_id"),
        sa.ForeignKeyConstraint(["territory_id", "solved_by"], ["trip_request.territory_id", "trip_request.id"]),
        sa.UniqueConstraint("leg_id"),
        sa.Index(None, "territory_id", "noted_at", "id"),
    )
    leg_id: Mapped[UUID]
    service_date: Mapped[date]
    direction: Mapped[str] = mapped_column(sa.String(10))
    origin: Mapped[LonLat] = mapped_column(GeoPoint())  # to about a kilometre
    destination: Mapped[LonLat] = mapped_column(GeoPoint())
    purpose: Mapped[str | None] = mapped_column(sa.String(20))
    cause: Mapped[str] = mapped_column(sa.String(30))
    noted_at: Mapped[datetime]
    solved_by: Mapped[UUID | None]  # a later request of the same person to the same place


class Reply(Table):
    """What a creating request was answered, by the client's own key for it; written with what it created, in one transaction."""

    __tablename__ = "reply"
    __table_args__ = (sa.Index(None, "created_at"),)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    territory_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("territory.id"))
    request_sha256: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
