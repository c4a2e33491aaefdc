"""A territory in a database, as small as a test needs it: people, requests, and plans written by hand. Shared by tests."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from dispatch.model.intake import NewAvailability, NewBeneficiary, NewTerritory, NewTrip, NewVolunteer
from dispatch.model.plans import Levels, Plan, Reason, Run, ServedLeg, Stop, Summary, Unserved
from dispatch.service.day import Snapshot
from dispatch.service.people import add_availability, add_beneficiary, add_volunteer, make_territory
from dispatch.service.rounds import claim_round, enqueue_round, load_day, save_round
from dispatch.service.trips import BY_STAFF, Asker, TripView, request_trip, show_trips
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, TripRequest
from dispatch.world import FixedWorld
from routing.network import RoadNetwork

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
DATE = dt.date(2026, 11, 24)
PLACE = (2.345678, 46.234567)  # of every stop of a plan written by hand
PARIS = dt.timezone(dt.timedelta(hours=1))

Promised = dict[tuple[UUID, str], tuple[UUID, str]]  # (request, way) -> (volunteer, "HH:MM" of the pickup)


_POINTS: dict[tuple[str, int], list[tuple[float, float]]] = {}


def _points(network: RoadNetwork, seed: int) -> list[tuple[float, float]]:
    """Places on roads, the same ones of a seed: sampled once, as nearly every test wants some."""
    if (network.version, seed) not in _POINTS:
        _POINTS[network.version, seed] = network.sample_points(np.random.default_rng(seed), 2_000).round(6).tolist()
    return _POINTS[network.version, seed]


def at(clock: str, day: dt.date = DATE) -> dt.datetime:
    """A Paris winter clock on the test day."""
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), PARIS)


class TestTerritory:
    """One territory with a world of its own."""

    __test__ = False

    def __init__(self, database: Database, network: RoadNetwork, name: str = "Pays d'essai", seed: int = 1) -> None:
        self.database, self.network = database, network
        self.world = FixedWorld(NOW, seed)
        self._points = iter(_points(network, seed))
        with database.write() as session:
            self.id = make_territory(Registry(session), NewTerritory(name=name), self.world).id

    @contextmanager
    def store(self) -> Iterator[Store]:
        """One writing transaction."""
        with self.database.write() as session:
            yield Store(session, self.id)

    def rule(self, **sections: Any) -> None:
        """What the territory chooses, by section; all else takes its default."""
        with self.store() as store:
            store.territory().rules = sections

    def point(self) -> tuple[float, float]:
        """A new place on the roads."""
        lon, lat = next(self._points)
        return lon, lat

    def person(self, name: str = "Jeanne Roussel", **parts: Any) -> UUID:
        """A beneficiary."""
        with self.store() as store:
            return add_beneficiary(store, NewBeneficiary(name=name, home=self.point(), **parts), self.network, self.world).id

    def volunteer(self, name: str = "Jean Morel", span: tuple[str, str] | None = ("08:00", "18:00"), **parts: Any) -> UUID:
        """A volunteer, free on the test day unless `span` is None."""
        with self.store() as store:
            found = add_volunteer(store, NewVolunteer(name=name, home=self.point(), **parts), self.network, self.world).id
            if span:
                add_availability(store, found, NewAvailability(starts_at=at(span[0]), ends_at=at(span[1])), self.world)
            return found

    def ask(
        self, person: UUID | None = None, arrive: str = "10:40", back: str | None = "11:40", asker: Asker = BY_STAFF, **parts: Any
    ) -> UUID:
        """A request on the test day."""
        wish: dict[str, Any] = {
            "beneficiary_id": person or self.person(),
            "origin": self.point(),
            "destination": self.point(),
            "arrive_by": at(arrive),
            "return_after": at(back) if back else None,
        }
        with self.store() as store:
            return request_trip(store, NewTrip(**(wish | parts)), self.network, self.world, asker).id

    def trip(self, request_id: UUID) -> TripView:
        """What became of a request."""
        with self.store() as store:
            return show_trips(store, [store.get(TripRequest, request_id)])[0]

    def states(self, request_id: UUID) -> list[str]:
        """Of its ways, outbound first."""
        return [way.leg.state for way in self.trip(request_id).legs]

    def offers(self, request_id: UUID, *states: str) -> list[Offer]:
        """About a request."""
        with self.store() as store:
            return list(store.offers_of([request_id], *(states or ("sent",))))

    def offer(self, request_id: UUID) -> Offer:
        """The only open one about a request."""
        (found,) = self.offers(request_id)
        return found

    def snapshot(self, day: dt.date = DATE) -> Snapshot:
        """Of a day whose round was claimed."""
        with self.store() as store:
            round_id = enqueue_round(store, day, 1.0, 1, self.world).id
            claim = claim_round(store, round_id, self.world)
            return load_day(store, claim, self.world)

    def run_round(self, served: Promised, unserved: tuple[tuple[UUID, str], ...] = ()) -> bool:
        """A round whose plan is given; as `engine.rounds.run_round` without the planner. True when it wants another one."""
        snapshot = self.snapshot()
        with self.database.write("solver") as session:
            return save_round(Store(session, self.id), snapshot, make_plan(served, unserved), 240, self.world)


def _stop(kind: str, served: ServedLeg | None = None) -> Stop:
    moment = at("08:00") if served is None else served.pickup if kind == "pickup" else served.dropoff
    about = {"request": served.request, "leg": served.leg} if served else {}
    loads = {"metres": 0, "seats": 0, "wheelchairs": 0, "boot": 0}
    return Stop(kind=kind, place=PLACE, arrive=moment, start=moment, depart=moment, **loads, **about)  # type: ignore[arg-type]


def make_plan(served: Promised, unserved: tuple[tuple[UUID, str], ...] = ()) -> Plan:
    """A plan in which each pickup is ten minutes of driving."""
    runs = []
    for volunteer in dict.fromkeys(volunteer for volunteer, _ in served.values()):
        legs = tuple(
            ServedLeg(
                request=str(request),
                leg=way,  # type: ignore[arg-type]
                told_pickup=at(clock),
                pickup=at(clock),
                dropoff=at(clock) + dt.timedelta(minutes=10),
                ride_minutes=10,
                direct_minutes=10,
            )
            for (request, way), (driver, clock) in served.items()
            if driver == volunteer
        )
        figures = {"km": 1.0, "km_empty": 0.5, "wait_minutes": 0.0}
        ways = [(kind, served) for served in legs for kind in ("pickup", "dropoff")]
        stops = (_stop("home"), *(_stop(kind, served) for kind, served in ways), _stop("home"))
        runs.append(Run(driver=str(volunteer), shift=0, leaves_home=at("08:00"), back_home=at("18:00"), legs=legs, stops=stops, **figures))
    absent = tuple(
        Unserved(
            id=f"{request}/{way}",
            request=str(request),
            leg=way,  # type: ignore[arg-type]
            reason=Reason.NO_DRIVER_WINDOW,
            sentence="Personne n'est libre à cette heure.",
            sentence_en="Nobody is free at that time.",
            blocked={},
        )
        for request, way in unserved
    )
    levels = Levels(unserved_priority=len(absent), broken_promises=0, cost=0, comfort=0, goodwill=0)
    count = {"legs": len(served) + len(absent), "served": len(served), "unserved": len(absent), "violations": 0}
    summary = Summary(km_total=1.0, km_empty=0.5, wait_minutes=0.0, seconds=1.0, levels=levels, **count)
    return Plan(date=DATE, timezone="Europe/Paris", summary=summary, runs=tuple(runs), unserved=absent)


def dump(database: Database) -> str:
    """Every value of every table, as text; bytes as text and in hexadecimal, as PostGIS shows points."""
    found = []
    with database._engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):  # noqa: S608
                found += [f"{value.decode('utf-8', 'replace')} {value.hex()}" if isinstance(value, bytes) else str(value) for value in row]
    return "\n".join(found)
