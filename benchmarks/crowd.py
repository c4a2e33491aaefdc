"""A platform in full swing in PostgreSQL: 500 volunteers, 1,000 people, 10,000 ways over ten days, each asked of somebody.

In: an empty database with the newest tables, roads. Out: what there is to call about. Written in bulk, past the triggers: rows are as the
service would have made them, but for events. Used by `benchmarks.platform` and by the test that looks at query plans.
"""

import datetime as dt
from dataclasses import dataclass
from itertools import product
from uuid import UUID, uuid4

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.model.intake import NewTerritory
from dispatch.model.roles import Role
from dispatch.service.keys import make_key
from dispatch.service.people import make_territory
from dispatch.storage.base import Table
from dispatch.storage.database import Database
from dispatch.storage.log import Event
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import (
    Assignment,
    Availability,
    Beneficiary,
    Leg,
    Offer,
    OfferLeg,
    Person,
    PersonKey,
    Round,
    Run,
    TripRequest,
    UnservedLeg,
    Volunteer,
)
from dispatch.storage.vault import Identity, Vault
from dispatch.storage.volunteer_tables import Engagement
from dispatch.world import World
from routing.network import RoadNetwork

VOLUNTEERS, PEOPLE, DAYS = 500, 1000, 10
_CAR = {"seats": 4, "wheelchair_places": 0, "boot": 4, "accepts_needs": [], "active": True}
_NEEDS = {"wheelchair": False, "boot": 0, "needs": [], "alone": False, "load_minutes": 3, "unload_minutes": 2}


@dataclass(frozen=True)
class Crowd:
    """What there is: ids and places to call about."""

    territory: UUID
    people: list[UUID]
    volunteers: list[UUID]
    requests: list[UUID]
    offers: list[UUID]
    rounds: list[UUID]
    first_day: dt.date
    points: list[tuple[float, float]]


def make_crowd(database: Database, network: RoadNetwork, vault: Vault) -> Crowd:
    """Fill the database, and let PostgreSQL count what is there."""
    world = World()
    now = world.now()
    with database.write() as session:
        territory = make_territory(Registry(session), NewTerritory(name="Pays du banc d'essai"), world).id
    points = [(lon, lat) for lon, lat in network.sample_points(np.random.default_rng(1), 2000).round(6).tolist()]
    rows: dict[type[Table], list[dict[str, object]]] = {}

    def add(table: type[Table], **values: object) -> UUID:
        made = uuid4()
        rows.setdefault(table, []).append({"id": made, "territory_id": territory, **values})
        return made

    def person(number: int, file: type[Table], **values: object) -> UUID:
        made = add(file, home=points[number], created_at=now, **values)
        wrapped = vault.new_key(made)
        rows.setdefault(PersonKey, []).append({"person_id": made, "territory_id": territory, "wrapped": wrapped})
        sealed = vault.seal(made, wrapped, Identity(f"Personne {number}", None))
        rows.setdefault(Person, []).append({"id": made, "territory_id": territory, "sealed": sealed})
        return made

    volunteers = [person(number, Volunteer, **_CAR) for number in range(VOLUNTEERS)]
    rows[Engagement] = [{"id": volunteer, "territory_id": territory, "state": "active", "version": 2} for volunteer in volunteers]
    for volunteer, (seq, before, after) in product(volunteers, ((1, "applied", "vetting"), (2, "vetting", "active"))):
        add(Event, at=now, kind="engagement", subject_id=volunteer, seq=seq, before=before, after=after)
    people = [person(VOLUNTEERS + number, Beneficiary, **_NEEDS) for number in range(PEOPLE)]
    first_day = now.date() + dt.timedelta(days=2)
    rounds, requests, offers = [], [], []
    for day in range(DAYS):
        date = first_day + dt.timedelta(days=day)
        morning = dt.datetime.combine(date, dt.time(8), dt.UTC)
        done = {"seconds": 5.0, "seed": 1, "queued_at": now, "state": "done", "version": 2}
        rounds.append(add(Round, service_date=date, **done))
        for number, volunteer in enumerate(volunteers):
            hours = {"starts_at": morning, "ends_at": morning + dt.timedelta(hours=9)}
            add(Availability, volunteer_id=volunteer, created_at=now, **hours)
            there, back = morning + dt.timedelta(hours=2), morning + dt.timedelta(hours=3)
            wish = {"window_minutes": 30, "seats": 1, "priority": 1, "one_way_ok": False, "same_driver": "prefer", "needs": []}
            ends = {"origin": points[number], "destination": points[-1 - number]}
            about = {"beneficiary_id": people[(number + day) % PEOPLE], "arrive_by": there, "return_after": back, "service_date": date}
            request = add(TripRequest, state="accepted", version=1, created_at=now, **about, **ends, **wish)
            asked = {"request_id": request, "volunteer_id": volunteer, "round_id": rounds[-1]}
            offer = add(Offer, state="sent", sent_at=now, expires_at=morning, **asked)
            span = {"starts_at": morning, "ends_at": morning + dt.timedelta(hours=4)}
            run = add(Run, volunteer_id=volunteer, service_date=date, state="planned", **span)
            for direction, pickup in (("outbound", there - dt.timedelta(minutes=20)), ("return", back)):
                leg = add(Leg, request_id=request, direction=direction, state="offered", version=1)
                add(OfferLeg, offer_id=offer, leg_id=leg, open=True)
                told = {"told_pickup_at": pickup, "pickup_at": pickup, "dropoff_at": pickup + dt.timedelta(minutes=15)}
                add(Assignment, leg_id=leg, volunteer_id=volunteer, round_id=rounds[-1], run_id=run, active=True, **told)
                step = {"kind": "leg", "subject_id": leg, "seq": 1, "before": "pending", "after": "offered"}
                add(Event, at=now, **step)
            add(Event, at=now, kind="request", subject_id=request, seq=1, before="submitted", after="accepted")
            requests.append(request)
            offers.append(offer)
            if number % 25 == 0:
                add(UnservedLeg, leg_id=leg, round_id=rounds[-1], reason="NO_DRIVER_WINDOW", sentence="Personne.", sentence_en="Nobody.")
    _write(database, rows)
    return Crowd(territory, people, volunteers, requests, offers, rounds, first_day, points)


def key_of(database: Database, territory: UUID, role: Role) -> str:
    """The text of a new key."""
    with database.write() as session:
        return make_key(Registry(session), role, Store(session, territory), None, World())[1]


def _write(database: Database, rows: dict[type[Table], list[dict[str, object]]]) -> None:
    with database._engine.begin() as connection:  # noqa: SLF001 # as the owner, which the service never is
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        session = Session(connection)
        for table, made in rows.items():
            session.execute(sa.insert(table), made)
    with database._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # noqa: SLF001
        connection.exec_driver_sql("ANALYZE")
