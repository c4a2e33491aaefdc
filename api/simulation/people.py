"""Who lives and drives in a simulated territory, and where they go: drawn from the sample day, whose shares are said in `service.sample`.

In: roads, wishes, a stage. Out: `People`, filed over HTTP. Called by `simulation.month`.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from api.simulation.stage import Stage
from dispatch.model.day import Day, Request
from dispatch.service.sample import make_sample_day
from routing.network import RoadNetwork

VOLUNTEERS = 14
PEOPLE = 60
REQUESTS_A_DAY = 12.0
_CAR = ("home", "seats", "wheelchair_places", "boot", "accepts_needs", "max_km", "max_rides")
_TRAVELLER = ("wheelchair", "boot", "needs", "alone", "load_minutes", "unload_minutes", "max_ride_minutes")


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who asks for rides: where from, and where to when it is for this reason."""

    id: str
    wish: Request
    asks_by: str  # the role of whoever enters the requests


@dataclass(frozen=True, slots=True)
class Helper:
    """A volunteer, and what can be expected of them."""

    id: str
    says_yes: float  # share of offers
    says_nothing: float  # share of offers
    minutes: float  # until an answer, on average


@dataclass(slots=True)
class People:
    """Everybody."""

    residents: list[Resident] = field(default_factory=list)
    helpers: list[Helper] = field(default_factory=list)


def settle(stage: Stage, network: RoadNetwork) -> People:
    """File everybody, as a coordinator, a prescriber and a partner do."""
    wishes, rng = stage.wishes, stage.rng
    count = max(1, VOLUNTEERS + wishes.volunteers)
    day = make_sample_day(network, legs=2 * PEOPLE, drivers=count, seed=wishes.seed, day=wishes.start, timezone=stage.timezone)
    people = People()
    for number, request in enumerate(_first_wishes(day)):
        role = rng.choices(("coordinator", "prescriber", "beneficiary"), (0.6, 0.2, 0.2))[0]
        entering = stage.callers["coordinator" if role == "beneficiary" else role]
        given = request.model_dump(mode="json", include=set(_TRAVELLER))
        found = entering.make("/v1/beneficiaries", {"name": f"Personne {number + 1}", "home": request.origin, **_phone(rng, 0.8), **given})
        if role == "beneficiary":
            _give_key(stage, role, found["id"])
        people.residents.append(Resident(found["id"], request, role))
    for number, driver in enumerate(day.drivers):
        given = driver.model_dump(mode="json", include=set(_CAR))
        found = stage.coordinator.make("/v1/volunteers", {"name": f"Bénévole {number + 1}", **_phone(rng, 0.9), **given})
        _give_key(stage, "driver", found["id"])
        people.helpers.append(Helper(found["id"], rng.uniform(0.6, 0.95), rng.uniform(0.0, 0.15), rng.uniform(15, 150)))
    return people


def _first_wishes(day: Day) -> list[Request]:
    return list({request.beneficiary: request for request in reversed(day.requests)}.values())


def _phone(rng: Any, share: float) -> dict[str, str]:
    return {"phone": f"+336{rng.randrange(10**8):08d}"} if rng.random() < share else {}


def _give_key(stage: Stage, role: str, holder: str) -> None:
    key = stage.callers["manager"].make("/v1/keys", {"role": role, "holder_id": holder})
    stage.callers[holder] = stage.service.caller(key["text"])


def by_clock(clock: str, day: dt.date, stage: Stage) -> dt.datetime:
    """A wall clock of the sample day on another day."""
    return stage.at(day, clock[-5:])
