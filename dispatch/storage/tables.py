"""The tables. Guarantees are constraints: states, one active assignment per leg, one open offer per leg, nothing across territories.

Every row of a territory carries its id, and foreign keys are composite (territory_id, id): a row cannot point into another territory.
Read and written through `storage.store`; changed through migrations only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dispatch.model.lifecycle import Kind, states
from dispatch.storage.geometry import GeoPoint, Instant, LonLat

ROLES = ("admin", "coordinator", "driver", "beneficiary", "partner")
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {UUID: sa.Uuid(), datetime: Instant(), dict[str, Any]: sa.JSON(), list[str]: sa.JSON()}  # noqa: RUF012


def _within(*columns: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    """Composite foreign keys that stay in the territory: `beneficiary_id` points to table `beneficiary`, and so on."""
    parents = {"request_id": "trip_request"}
    return tuple(
        sa.ForeignKeyConstraint(["territory_id", column], [f"{(p := parents.get(column, column[:-3]))}.territory_id", f"{p}.id"])
        for column in columns
    )


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _where(condition: str) -> dict[str, Any]:
    """A partial index on both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _state(kind: Kind) -> sa.CheckConstraint:
    return _one_of("state", states(kind))


class Territory(Table):
    __tablename__ = "territory"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200), unique=True)
    timezone: Mapped[str] = mapped_column(sa.String(64))
    policy: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(sa.String(400), server_default="")
    created_at: Mapped[datetime]


class ApiKey(Table):
    __tablename__ = "api_key"
    __table_args__ = (
        _one_of("role", ROLES),
        sa.CheckConstraint("(role = 'admin') = (territory_id IS NULL)", name="admin_is_of_no_territory"),
        sa.CheckConstraint("(role IN ('driver', 'beneficiary')) = (holder_id IS NOT NULL)", name="holder"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("territory.id"), index=True)
    role: Mapped[str] = mapped_column(sa.String(20))
    holder_id: Mapped[UUID | None]  # the volunteer or beneficiary who holds it
    prefix: Mapped[str] = mapped_column(sa.String(16), unique=True)
    secret_sha256: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class _OfTerritory:
    """Columns of everything that belongs to a territory."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"))


class Beneficiary(_OfTerritory, Table):
    __tablename__ = "beneficiary"
    __table_args__ = (sa.UniqueConstraint("territory_id", "id"),)
    name: Mapped[str] = mapped_column(sa.String(200))
    phone: Mapped[str | None] = mapped_column(sa.String(26))
    home: Mapped[LonLat] = mapped_column(GeoPoint())
    wheelchair: Mapped[bool]
    boot: Mapped[int]
    needs: Mapped[list[str]]
    alone: Mapped[bool]
    load_minutes: Mapped[int]
    unload_minutes: Mapped[int]
    max_ride_minutes: Mapped[int | None]
    entered_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("api_key.id"))
    created_at: Mapped[datetime]


class Volunteer(_OfTerritory, Table):
    __tablename__ = "volunteer"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        sa.CheckConstraint("seats >= 0 AND wheelchair_places >= 0 AND boot >= 0", name="capacity"),
    )
    name: Mapped[str] = mapped_column(sa.String(200))
    phone: Mapped[str | None] = mapped_column(sa.String(26))
    home: Mapped[LonLat] = mapped_column(GeoPoint())
    seats: Mapped[int]
    wheelchair_places: Mapped[int]
    boot: Mapped[int]
    accepts_needs: Mapped[list[str]]
    max_km: Mapped[float | None]
    max_rides: Mapped[int | None]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class Availability(_OfTerritory, Table):
    __tablename__ = "availability"
    __table_args__ = (
        *_within("volunteer_id"),
        sa.CheckConstraint("starts_at < ends_at", name="ordered"),
        sa.Index(None, "territory_id", "starts_at"),
        sa.Index(None, "volunteer_id"),
    )
    volunteer_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_at: Mapped[datetime]


class Refusal(Table):
    """One side does not want to ride with the other. Which side is nobody's business."""

    __tablename__ = "refusal"
    __table_args__ = _within("volunteer_id", "beneficiary_id")
    territory_id: Mapped[UUID] = mapped_column(sa.ForeignKey("territory.id"))
    volunteer_id: Mapped[UUID] = mapped_column(primary_key=True)
    beneficiary_id: Mapped[UUID] = mapped_column(primary_key=True)


class TripRequest(_OfTerritory, Table):
    __tablename__ = "trip_request"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *_within("beneficiary_id"),
        _state("request"),
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
    state: Mapped[str] = mapped_column(sa.String(20))
    entered_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("api_key.id"))
    created_at: Mapped[datetime]


class Leg(_OfTerritory, Table):
    __tablename__ = "leg"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        sa.UniqueConstraint("request_id", "direction"),
        *_within("request_id"),
        _state("leg"),
        _one_of("direction", ("outbound", "return")),
        sa.Index(None, "territory_id", "state"),
    )
    request_id: Mapped[UUID]
    direction: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[str] = mapped_column(sa.String(20))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - an update of a row that changed meanwhile fails


class Round(_OfTerritory, Table):
    __tablename__ = "round"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        _state("round"),
        sa.Index(None, "territory_id", "service_date"),
        sa.Index("uq_round_queued", "territory_id", "service_date", unique=True, **_where("state = 'queued'")),  # one waiting round a day
    )
    service_date: Mapped[date]
    state: Mapped[str] = mapped_column(sa.String(20))
    seconds: Mapped[float]
    seed: Mapped[int]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    plan: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    failure: Mapped[str | None] = mapped_column(sa.String(40))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - two planners that claim one round: one of them fails


class Assignment(_OfTerritory, Table):
    """Who drives a leg, as the last round or the volunteer's answer has it."""

    __tablename__ = "assignment"
    __table_args__ = (
        *_within("leg_id", "volunteer_id", "round_id"),
        sa.CheckConstraint("pickup_at <= dropoff_at", name="ordered"),
        sa.Index("uq_assignment_active_leg", "leg_id", unique=True, **_where("active")),
        sa.Index(None, "volunteer_id"),
    )
    leg_id: Mapped[UUID]
    volunteer_id: Mapped[UUID]
    round_id: Mapped[UUID]
    told_pickup_at: Mapped[datetime]
    pickup_at: Mapped[datetime]
    dropoff_at: Mapped[datetime]
    active: Mapped[bool]


class Offer(_OfTerritory, Table):
    """A question to one volunteer about one request: both its ways, or one of them."""

    __tablename__ = "offer"
    __table_args__ = (
        sa.UniqueConstraint("territory_id", "id"),
        *_within("request_id", "volunteer_id", "round_id"),
        _state("offer"),
        sa.CheckConstraint("(state = 'declined') = (decline_reason IS NOT NULL)", name="decline_has_a_reason"),
        sa.Index(None, "territory_id", "state"),
        sa.Index(None, "volunteer_id"),
        sa.Index(None, "request_id"),
    )
    request_id: Mapped[UUID]
    volunteer_id: Mapped[UUID]
    round_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(sa.String(20))
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    decline_reason: Mapped[str | None] = mapped_column(sa.String(30))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - an answer and a withdrawal at once: one of them fails


class OfferLeg(_OfTerritory, Table):
    __tablename__ = "offer_leg"
    __table_args__ = (
        *_within("offer_id", "leg_id"),
        sa.UniqueConstraint("offer_id", "leg_id"),
        sa.Index("uq_offer_leg_open", "leg_id", unique=True, **_where("open")),
    )
    offer_id: Mapped[UUID]
    leg_id: Mapped[UUID]
    open: Mapped[bool]  # the offer is sent or accepted


class UnservedLeg(_OfTerritory, Table):
    """Why a round found nobody for a leg."""

    __tablename__ = "unserved_leg"
    __table_args__ = (*_within("leg_id", "round_id"), sa.Index(None, "round_id"), sa.Index(None, "leg_id"))
    leg_id: Mapped[UUID]
    round_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(sa.String(30))
    sentence: Mapped[str] = mapped_column(sa.String(400))
    sentence_en: Mapped[str] = mapped_column(sa.String(400))
