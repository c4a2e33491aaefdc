"""The demo territory's people and tomorrow's requests: invented, in French, said to be fictional.

In: a database, the demo roads, the present. Out: a territory with a day to plan. Called by `allons demo`;
run again, it adds what is missing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from dispatch.errors import DispatchError, NotFound
from dispatch.model.clock import to_instant
from dispatch.model.day import Day, Driver, Request
from dispatch.model.intake import NewAccount, NewAvailability, NewBeneficiary, NewTerritory, NewTrip, NewVolunteer
from dispatch.model.roles import Role
from dispatch.model.volunteering import Hours, NewCredential, NewTie, Verified, WeeklyGrid
from dispatch.service.accounts import log_in_by_address, make_account
from dispatch.service.availability import write_weekly_hours
from dispatch.service.credentials import hand_in, verify
from dispatch.service.people import add_availability, add_beneficiary, add_volunteer, make_territory, refuse_pair, tie_pair
from dispatch.service.sample import make_sample_day
from dispatch.service.trips import request_trip
from dispatch.storage.accounts import Accounts, Login
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Volunteer
from dispatch.world import World
from routing.network import RoadNetwork

NAME = "Pays de Serline (fictif)"
NOTE = "Territoire fictif : lieux, routes et personnes sont inventés. · Fictional territory: places, roads and people are invented."
LEGS, DRIVERS, SEED = 60, 26, 1
#: Common first names and family names, combined at random; any likeness is chance.
_WOMEN = (
    "Jeanne", "Monique", "Paulette", "Simone", "Odette", "Yvette", "Denise", "Colette", "Josette", "Ginette", "Huguette", "Lucette",
    "Nadia", "Fatima", "Amina", "Sylvie", "Chantal", "Brigitte", "Martine", "Élodie", "Camille", "Léa", "Inès", "Manon",
)  # fmt: skip
_MEN = (
    "Marcel", "René", "Roger", "André", "Raymond", "Lucien", "Fernand", "Henri", "Gilbert", "Guy", "Michel", "Alain",
    "Karim", "Mehdi", "Patrick", "Didier", "Thierry", "Bernard", "Hugo", "Théo", "Lucas", "Yanis", "Jules", "Enzo",
)  # fmt: skip
_FAMILIES = (
    "Roussel", "Duval", "Petit", "Costa", "Lefèvre", "Morel", "Girard", "Fabre", "Blanc", "Guérin", "Boyer", "Garnier", "Chevalier",
    "Lambert", "Bonnet", "Mercier", "Faure", "Roux", "Vidal", "Marchand", "Benali", "Haddad", "Da Silva", "Le Goff", "Nguyen",
    "Perrin", "Robin", "Clément", "Gauthier", "Noël", "Picard", "Aubert", "Rolland", "Lacroix", "Barbier", "Brunet", "Schmitt",
)  # fmt: skip
_CARS = ("Renault Clio grise", "Peugeot 208 bleue", "Dacia Sandero blanche", "Citroën C3 rouge", "Toyota Yaris verte")
_STAFF = {"coordinator": "Claire Dubois", "manager": "Samia Leroy"}
Door = Literal["coordinator", "manager", "volunteer", "beneficiary"]
_ROLE: Mapping[Door, Role] = {"coordinator": "coordinator", "manager": "manager", "volunteer": "driver", "beneficiary": "beneficiary"}
T = TypeVar("T", Volunteer, Beneficiary)


@dataclass(frozen=True, slots=True)
class Demo:
    """What there is to show."""

    territory_id: UUID
    date: dt.date
    names: dict[str, str]  # of volunteers and of requests' people, by id; for the terminal only


def fill_demo(database: Database, network: RoadNetwork, world: World, legs: int = LEGS, drivers: int = DRIVERS) -> Demo:
    """Make the territory, its people and tomorrow's requests where they are not there yet; one transaction."""
    with database.write() as session:
        registry = Registry(session)
        territory = registry.territory_named(NAME) or make_territory(registry, NewTerritory(name=NAME), world, NOTE)
        store = Store(session, territory.id)
        date = world.now().astimezone(ZoneInfo(territory.timezone)).date() + dt.timedelta(days=1)
        day = make_sample_day(network, legs=legs, drivers=drivers, seed=SEED, day=date, timezone=territory.timezone)
        _make_people(store, day, network, world)
        if not store.requests_of_day(date):
            _make_day(store, day, network, world)
        return Demo(territory.id, date, _names(store, date))


def demo_account(accounts: Accounts, who: Door, world: World) -> tuple[Login, str]:
    """Log in as somebody invented: who coordinates, who answers for the territory, a volunteer with a run, somebody who is driven.

    NotFound where nobody is.
    """
    territory = Registry(accounts.session).territory_named(NAME)
    if territory is None:
        raise NotFound
    store = Store(accounts.session, territory.id)
    day = world.now().astimezone(ZoneInfo(territory.timezone)).date() + dt.timedelta(days=1)
    rides = store.assignments_of_day(day)
    role, holder = _ROLE[who], None
    if who in ("volunteer", "beneficiary"):
        if not rides:
            raise NotFound
        legs = {leg.id: leg for found in store.rides_of({run.id for _, run in rides}).values() for _, leg in found}
        request = store.requests([legs[rides[0][0].leg_id].request_id])
        holder = rides[0][1].volunteer_id if who == "volunteer" else next(iter(request.values())).beneficiary_id
    address = f"{who}@{f'{holder.hex}.' if holder else ''}demo.invalid"
    if accounts.account_of(accounts.vault.digest(address)) is None:
        make_account(accounts, NewAccount(role=role, name=_STAFF.get(who, who), email=address, holder_id=holder), store, world)
    return log_in_by_address(accounts, address, world)


def _make_people(store: Store, day: Day, network: RoadNetwork, world: World) -> None:
    known = set(_by_name(store, _volunteers(store)))
    for k, driver in enumerate(day.drivers):
        if _name(k, "volunteer") not in known:
            given = driver.model_dump(include={"home", "seats", "wheelchair_places", "boot", "accepts_needs", "max_km", "max_rides"})
            new = NewVolunteer(name=_name(k, "volunteer"), phone=_phone(k, 0), car=_CARS[k % len(_CARS)], **given)
            _hand_in_papers(store, add_volunteer(store, new, network, world), k, day.date, world)
    known = set(_by_name(store, _beneficiaries(store)))
    for k, request in enumerate(_first_requests(day).values()):
        if _name(k, "beneficiary") not in known:
            same = {"wheelchair", "boot", "needs", "alone", "load_minutes", "unload_minutes", "max_ride_minutes"}
            given = request.model_dump(include=same)
            person = NewBeneficiary(name=_name(k, "beneficiary"), phone=_phone(k, 50), home=request.origin, **given)
            add_beneficiary(store, person, network, world)


def _make_day(store: Store, day: Day, network: RoadNetwork, world: World) -> None:
    volunteers, people = _by_name(store, _volunteers(store)), _by_name(store, _beneficiaries(store))
    at = {beneficiary: people[_name(k, "beneficiary")] for k, beneficiary in enumerate(_first_requests(day))}
    for k, driver in enumerate(day.drivers):
        volunteer = volunteers[_name(k, "volunteer")]
        if k % 3 == 0 and not store.weekly_hours(volunteer.id):
            _give_weekly_hours(store, day, driver, volunteer, world)
        elif k % 3:
            _give_shifts(store, day, driver, volunteer, world)
        for refused in driver.refuses:
            if refused in at:
                refuse_pair(store, volunteer.id, at[refused].id)
    drivers = {driver.id: volunteers[_name(k, "volunteer")].id for k, driver in enumerate(day.drivers)}
    for request in day.requests:
        if request.prefers_driver is not None:
            tie_pair(store, drivers[request.prefers_driver], at[request.beneficiary].id, NewTie(preferred=True, known=True))
        request_trip(store, _trip(day, request, at[request.beneficiary]), network, world)


def _hand_in_papers(store: Store, volunteer: Volunteer, k: int, day: dt.date, world: World) -> None:
    """Licences that hold, one that ends soon, one that nobody has looked at, and many that are missing."""
    if k < 8:
        paper = hand_in(store, volunteer, NewCredential(kind="licence", expires_on=day + dt.timedelta(days=20 if k == 0 else 900)), world)
        if k != 1:
            verify(store, paper, Verified(), None, world)


def _give_weekly_hours(store: Store, day: Day, driver: Driver, volunteer: Volunteer, world: World) -> None:
    """The hours of the day, on every working day and on that of the day."""
    days = sorted({1, 2, 3, 4, 5, day.date.isoweekday()})
    hours = tuple(Hours(weekday=weekday, starts=begins, ends=ends) for weekday in days for begins, ends in driver.shifts)
    write_weekly_hours(store, volunteer, WeeklyGrid(hours=hours), world)


def _give_shifts(store: Store, day: Day, driver: Driver, volunteer: Volunteer, world: World) -> None:
    for begins, ends in driver.shifts:
        span = NewAvailability(starts_at=to_instant(day.date, begins, day.timezone), ends_at=to_instant(day.date, ends, day.timezone))
        try:
            add_availability(store, volunteer.id, span, world)
        except DispatchError:  # given on an earlier run
            continue


def _trip(day: Day, request: Request, person: Beneficiary) -> NewTrip:
    def instant(clock: str | None) -> dt.datetime | None:
        return to_instant(day.date, clock, day.timezone) if clock else None

    same = {"origin", "destination", "window_minutes", "return_window_minutes", "seats", "priority", "one_way_ok", "same_driver"}
    return NewTrip(
        beneficiary_id=person.id,
        arrive_by=instant(request.arrive_by),
        depart_after=instant(request.depart_after),
        return_after=instant(request.return_after),
        **request.model_dump(include=same),
    )


def _first_requests(day: Day) -> dict[str, Request]:
    """By beneficiary."""
    found: dict[str, Request] = {}
    for request in day.requests:
        found.setdefault(request.beneficiary, request)
    return found


def _name(k: int, kind: str) -> str:
    """The k-th name of a kind; always the same, and different for different k."""
    rng = np.random.default_rng([SEED, len(kind)])
    pairs = [f"{first} {family}" for first in (*_WOMEN, *_MEN) for family in _FAMILIES]
    return pairs[int(rng.permutation(len(pairs))[k])]


def _phone(k: int, first: int) -> str:
    """A number of those that are nobody's, kept free for films and examples."""
    return f"06 39 98 {first + k // 100:02d} {k % 100:02d}"


def _names(store: Store, date: dt.date) -> dict[str, str]:
    people = {row.id: name for name, row in _by_name(store, _beneficiaries(store)).items()}
    names = {str(row.id): name for name, row in _by_name(store, _volunteers(store)).items()}
    return names | {str(row.id): people[row.beneficiary_id] for row in store.requests_of_day(date)}


def _by_name(store: Store, rows: list[T]) -> dict[str, T]:
    who = store.identities(row.id for row in rows)
    return {str(who[row.id].name): row for row in rows}


def _volunteers(store: Store) -> list[Volunteer]:
    return list(store.page(Volunteer, None, 10_000))


def _beneficiaries(store: Store) -> list[Beneficiary]:
    return list(store.page(Beneficiary, None, 10_000))
