"""What the API answers about places."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from api.schemas import Point
from routing.places import Answer, Found


class PlaceOut(BaseModel):
    """A place. Whoever picks it may still move the pin: the point that is sent with a request counts, and nothing moves it."""

    label: str = Field(description="Empty where nothing is near that has a name.")
    kind: str = Field(description="house, street, or what the map calls it: village, hospital, pharmacy…")
    point: Point
    score: float = Field(ge=0, le=1, description="1 is what was asked for, word by word; below 0.5 it is a guess.")
    source: Literal["local", "ban", "nominatim", "pin"]
    locality: str
    postcode: str

    @classmethod
    def of(cls, found: Found) -> Self:
        return cls(
            label=found.label, kind=found.kind, point=(found.lon, found.lat), score=found.score, source=found.source,
            locality=found.locality, postcode=found.postcode,
        )  # fmt: skip


class PlacesOut(BaseModel):
    """Places, the best first."""

    items: list[PlaceOut]
    degraded: list[str] = Field(description="Sources that should have been asked and could not be: their places are missing.")

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls(items=[PlaceOut.of(found) for found in answer.found], degraded=list(answer.degraded))
