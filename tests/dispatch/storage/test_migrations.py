"""A database of an older version keeps its rows, and what they mean, on the way to the newest tables."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from shapely import Point, set_srid, to_wkb

from dispatch.service.offers import decline_offer
from dispatch.service.trips import cancel_trip, show_trips
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, TripRequest
from dispatch.storage.vault import Identity
from dispatch.world import FixedWorld
from tests.conftest import VAULT
from tests.dispatch.territories import DATE, NOW, at


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the tables of 0001."""
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    database: Database = Database(url, VAULT) if request.param == "sqlite" else request.getfixturevalue("new_postgis")()
    database.migrate("0001")
    yield database
    database.close()


def test_what_was_asked_and_agreed_before_0002_stands(old: Database) -> None:
    territory, volunteer, person, round_id = (uuid4() for _ in range(4))
    requests = [uuid4(), uuid4()]
    offers = [uuid4(), uuid4()]
    with old._engine.begin() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        postgresql = connection.dialect.name == "postgresql"
        naive = (lambda moment: moment) if postgresql else (lambda moment: moment.replace(tzinfo=None) - moment.utcoffset())
        point = to_wkb(set_srid(Point(2.3, 46.3), 4326), hex=postgresql, include_srid=True)

        def add(name: str, /, **values: object) -> None:
            kinds = {column.name: column.type for column in tables.tables[name].columns}
            given = {}
            for key, value in values.items():
                given[key] = (value if postgresql else value.hex) if hasattr(value, "hex") and hasattr(value, "int") else value
                given[key] = naive(value) if hasattr(value, "tzinfo") and hasattr(value, "hour") else given[key]
            assert set(given) <= set(kinds)
            marks = ", ".join(f":{key}" for key in given)
            connection.execute(sa.text(f"INSERT INTO {name} ({', '.join(given)}) VALUES ({marks})"), given)  # noqa: S608

        moment = {"created_at": NOW}
        add("territory", id=territory, name="A", timezone="Europe/Paris", policy="{}", note="", **moment)
        person_parts = {"wheelchair": False, "boot": 0, "needs": "[]", "alone": False, "load_minutes": 0, "unload_minutes": 0}
        add("beneficiary", id=person, territory_id=territory, name="P", home=point, **person_parts, **moment)
        car = {"seats": 3, "wheelchair_places": 0, "boot": 1, "accepts_needs": "[]", "active": True}
        add("volunteer", id=volunteer, territory_id=territory, name="V", home=point, **car, **moment)
        add("round", id=round_id, territory_id=territory, service_date=DATE, state="running", seconds=1.0, seed=1, queued_at=NOW, version=3)
        for k, (request, offer) in enumerate(zip(requests, offers, strict=True)):
            leg, clock = uuid4(), ("10:00", "14:00")[k]
            wish = {"window_minutes": 30, "seats": 1, "priority": 1, "one_way_ok": False, "same_driver": "prefer", "needs": "[]"}
            places = {"origin": point, "destination": point, "arrive_by": at(clock), "service_date": DATE}
            add("trip_request", id=request, territory_id=territory, beneficiary_id=person, state="submitted", **wish, **places, **moment)
            state = ("confirmed", "offered")[k]
            add("leg", id=leg, territory_id=territory, request_id=request, direction="outbound", state=state, version=4)
            about = {"territory_id": territory, "request_id": request, "volunteer_id": volunteer, "round_id": round_id}
            add("offer", id=offer, state=("accepted", "sent")[k], sent_at=NOW, expires_at=at("09:00"), version=2, **about)
            add("offer_leg", id=uuid4(), territory_id=territory, offer_id=offer, leg_id=leg, open=True)
            times = {"told_pickup_at": at(clock), "pickup_at": at(clock), "dropoff_at": at(clock), "active": True}
            add(
                "assignment",
                id=uuid4(),
                territory_id=territory,
                leg_id=leg,
                volunteer_id=volunteer,
                round_id=round_id,
                **times,
            )
    old.migrate()
    old.check_tables()
    world = FixedWorld(NOW)
    with old.write() as session:
        store = Store(session, territory)
        views = show_trips(store, [store.get(TripRequest, request) for request in requests])
        assert [view.legs[0].leg.state for view in views] == ["confirmed", "offered"]
        assert [view.legs[0].assignment.locked for view in views if view.legs[0].assignment] == [True, False]
        assert store.identities([person, volunteer]) == {person: Identity("P", None), volunteer: Identity("V", None)}
        (run,) = store.active_runs(DATE)[volunteer]
        assert (run.starts_at, run.ends_at) == (at("10:00"), at("14:00"))
        decline_offer(store, store.get(Offer, offers[1]), "too_far", world)
        cancel_trip(store, store.get(TripRequest, requests[0]), world)
        assert store.active_runs(DATE) == {}
        assert [event.after for event in store.events(views[0].legs[0].leg.id)] == ["cancelled"]
