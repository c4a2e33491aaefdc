"""Points and instants come back as they went in, on both databases; PostGIS reads the points as its own."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite as sqlite_dialect

from dispatch.storage.database import Database
from dispatch.storage.geometry import GeoPoint, Instant
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Territory, Volunteer
from dispatch.storage.vault import Identity

LON = st.floats(-180, 180, allow_nan=False)
LAT = st.floats(-90, 90, allow_nan=False)
SQLITE = sqlite_dialect.dialect()


@given(LON, LAT)
def test_a_point_survives_ewkb_to_the_last_bit(lon: float, lat: float) -> None:
    column = GeoPoint()
    assert column.process_result_value(column.process_bind_param((lon, lat), SQLITE), SQLITE) == (lon, lat)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
def test_an_instant_comes_back_in_utc(moment: datetime) -> None:
    column = Instant()
    found = column.process_result_value(column.process_bind_param(moment, SQLITE), SQLITE)
    assert found == moment
    assert found is not None and found.utcoffset() == timedelta(0)


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        Instant().process_bind_param(datetime(2026, 1, 1), SQLITE)


def test_points_and_instants_are_stored_and_read(database: Database) -> None:
    moment = datetime(2026, 11, 24, 9, 40, 0, 123456, UTC)
    home = (2.3969123456789, 46.2883)
    place, volunteer = uuid4(), uuid4()
    with database.write() as session:
        Registry(session).add(Territory(id=place, name="A", timezone="Europe/Paris", policy={"x": 1}, created_at=moment))
        row = Volunteer(
            id=volunteer, home=home, seats=4, wheelchair_places=0, boot=4, accepts_needs=["cane"], active=False, created_at=moment
        )
        Store(session, place).add_person(row, Identity("V", None))
    with database.read() as session:
        found = Store(session, place).get(Volunteer, volunteer)
        assert (found.home, found.created_at, found.accepts_needs) == (home, moment, ["cane"])
        if session.get_bind().dialect.name == "postgresql":
            shown = session.execute(sa.text("SELECT ST_AsEWKT(home) FROM volunteer")).scalar_one()
            assert shown == "SRID=4326;POINT(2.3969123456789 46.2883)"
