"""One column type for points: PostGIS geometry on PostgreSQL, EWKB bytes on SQLite. (lon, lat) in Python.

SQLite holds plain EWKB and no SpatiaLite: Python builds without loadable extensions are common. Also UTC instants for both databases.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry, WKBElement
from shapely import Point, from_wkb, set_srid, to_wkb

SRID = 4326
LonLat = tuple[float, float]


class GeoPoint(sa.types.TypeDecorator[LonLat]):
    """A point in WGS 84."""

    impl = sa.LargeBinary
    cache_ok = True
    spatial_index = False  # GeoAlchemy2 reads this of every column type

    def load_dialect_impl(self, dialect: sa.Dialect | None) -> Any:  # GeoAlchemy2 calls it with None
        if dialect is not None and dialect.name == "postgresql":
            return dialect.type_descriptor(Geometry("POINT", SRID, spatial_index=False))
        return sa.LargeBinary() if dialect is None else dialect.type_descriptor(sa.LargeBinary())

    def process_bind_param(self, value: LonLat | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        return to_wkb(set_srid(Point(value), SRID), hex=dialect.name == "postgresql", include_srid=True)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> LonLat | None:
        if value is None:
            return None
        point = from_wkb(value.data if isinstance(value, WKBElement) else value)
        return float(point.x), float(point.y)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant, always UTC; naive values are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its offset")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
