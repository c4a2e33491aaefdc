"""The day on the map, as GeoJSON: runs along the roads, pickups, drop-offs, homes, and who has nobody yet."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import CallerOf
from api.deps import PartsOf
from dispatch.model.clock import ServiceDate
from dispatch.service.day_map import Spot, Stretch, WayLines, read_day_map

router = APIRouter(tags=["the day"])


class LineOut(BaseModel):
    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]]


class PointOut(BaseModel):
    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class StretchOut(BaseModel):
    """From one stop to the next."""

    kind: Literal["stretch"] = "stretch"
    run_id: UUID
    leg_ids: list[UUID] = Field(description="Whose ways are driven on it; none when the car is empty.")
    leaves_at: dt.datetime
    arrives_at: dt.datetime


class SpotOut(BaseModel):
    """A place where a run stops; of no run, where somebody waits for a volunteer to be found."""

    kind: Literal["home", "pickup", "dropoff"]
    run_id: UUID | None
    leg_id: UUID | None
    at: dt.datetime | None


class StretchFeature(BaseModel):
    type: Literal["Feature"] = "Feature"
    geometry: LineOut
    properties: StretchOut

    @classmethod
    def of(cls, stretch: Stretch, lines: WayLines) -> "StretchFeature":
        """A stretch along the roads."""
        about = StretchOut(run_id=stretch.run_id, leg_ids=list(stretch.leg_ids), leaves_at=stretch.leaves_at, arrives_at=stretch.arrives_at)
        return cls(geometry=LineOut(coordinates=lines.between(*stretch.ends)), properties=about)


class SpotFeature(BaseModel):
    type: Literal["Feature"] = "Feature"
    geometry: PointOut
    properties: SpotOut

    @classmethod
    def of(cls, spot: Spot) -> "SpotFeature":
        """A place."""
        about = SpotOut.model_validate({"kind": spot.kind, "run_id": spot.run_id, "leg_id": spot.leg_id, "at": spot.at})
        return cls(geometry=PointOut(coordinates=spot.place), properties=about)


class DayMapOut(BaseModel):
    """A GeoJSON feature collection (RFC 7946). It names nobody: ids are those of runs and legs."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Annotated[StretchFeature | SpotFeature, Field(union_mode="left_to_right")]]


@router.get("/days/{date}/map")
def show_day_map(date: ServiceDate, caller: CallerOf, parts: PartsOf) -> DayMapOut:
    """Where volunteers drive on a day, along the roads, as the newest plan has it."""
    with parts.reading(caller.territory_id) as store:
        found = read_day_map(store, date)
    parts.note_read(caller, "beneficiary", None, found.people)
    stretches = [StretchFeature.of(stretch, parts.way_lines) for stretch in found.stretches]
    return DayMapOut(features=[*stretches, *(SpotFeature.of(spot) for spot in found.spots)])
