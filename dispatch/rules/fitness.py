"""Whether a volunteer, with car and limits as they are, can take somebody at all: the same answer for planning and for what was agreed on.

In: a volunteer, a request, a person. Out: needs that are met, distances, a reason or none. Called by `service.day`, `service.consequences`.
"""

from math import asin, cos, radians, sin, sqrt
from typing import Protocol

Point = tuple[float, float]
_EARTH_KM = 6371.0


class Car(Protocol):
    """A volunteer's file, as far as it decides who can ride."""

    home: Point
    seats: int
    wheelchair_places: int
    boot: int
    accepts_needs: list[str]
    low_step: bool
    fold_wheelchair: bool
    front_seat: bool
    child_seats: int
    radius_km: float | None


class Ride(Protocol):
    """A request, as far as it decides."""

    origin: Point
    destination: Point
    seats: int
    child_seats: int
    needs: list[str]


class Rider(Protocol):
    """A person, as far as it decides."""

    wheelchair: bool
    boot: int
    needs: list[str]


def met_needs(car: Car) -> tuple[str, ...]:
    """What the volunteer says yes to, and what the car does without being asked."""
    does = {
        "low_step": car.low_step,
        "fold_wheelchair": car.fold_wheelchair,
        "front_seat": car.front_seat,
        "child_seat": car.child_seats > 0,
        "wheelchair_seated": car.wheelchair_places > 0,
    }
    return tuple(dict.fromkeys([*car.accepts_needs, *(need for need, met in does.items() if met)]))


def too_far(car: Car, ride: Ride) -> bool:
    """Whether the ride begins or ends outside the volunteer's radius, as the crow flies."""
    return car.radius_km is not None and any(km_between(car.home, end) > car.radius_km for end in (ride.origin, ride.destination))


def too_few_seats(car: Car, ride: Ride) -> bool:
    """Whether more children come than there are seats for. Who has none in the file but takes children brings what is needed."""
    return ride.child_seats > car.child_seats > 0


def unfit(car: Car, ride: Ride, rider: Rider) -> str | None:
    """Why this car cannot take this person, as a code; None when it can."""
    if not set(met_needs(car)).issuperset([*rider.needs, *ride.needs]):
        return "needs"
    seated = ride.seats - (1 if rider.wheelchair else 0)
    if seated > car.seats or (rider.wheelchair and car.wheelchair_places == 0) or rider.boot > car.boot or too_few_seats(car, ride):
        return "car"
    return "too_far" if too_far(car, ride) else None


def km_between(here: Point, there: Point) -> float:
    """As the crow flies."""
    lon, lat = radians(there[0] - here[0]), radians(there[1] - here[1])
    half = sin(lat / 2) ** 2 + cos(radians(here[1])) * cos(radians(there[1])) * sin(lon / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))
