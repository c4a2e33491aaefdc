"""The rights of people over what is kept of them: erasure at once or after a time without rides, for good.

In: a person's file. Out: a file that says nothing about anybody, with counts, days and times kept for statistics. Called by the API, the
planner's daily round, and after a backup was restored. The caller commits.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from dispatch.errors import Conflict, Stale
from dispatch.model.lifecycle import WANTED_REQUEST
from dispatch.service.accounts import end_account
from dispatch.service.asking import unplan
from dispatch.service.offers import take_back_offer
from dispatch.storage.accounts import Accounts
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Round, Volunteer
from dispatch.world import World

AREA_DIGITS = 1  # of degrees: places are kept to about ten kilometres
_MONTH = timedelta(days=30.44)
_BATCH = 50  # people erased in one transaction


def erase_person(store: Store, row: Beneficiary | Volunteer, world: World) -> None:
    """Nobody can tell any more who this was.

    Conflict while a beneficiary has rides to come, or a volunteer is on the way; Stale when the row was changed since it was read.
    """
    now = world.now()
    _plans_about(store, row)  # no plan is saved from here on: rounds lock their own row first, and then what they change
    seen = row.version
    store.hold_person(row)
    if row.version != seen:  # somebody changed it since the caller looked
        raise Stale
    if isinstance(row, Beneficiary):
        wanted = [request for request in store.requests_for(row.id) if request.state in WANTED_REQUEST]
        moments = [moment for r in wanted for moment in (r.arrive_by, r.depart_after, r.return_after) if moment is not None]
        if any(moment > now for moment in moments):
            raise Conflict("This person has rides to come: cancel them first.")
    else:
        if any(run.state == "started" for run in store.runs_of(row.id)):
            raise Conflict("This volunteer is on the way: wait for the end of the run.")
        _free(store, row, world)
    accounts = Accounts(store.session)
    for account in accounts.accounts_for(row.id):
        end_account(accounts, store, account, world)
    accounts.end_traces(row.id, now)
    store.lose_key(row.id, now)
    _mask(store, row, world)
    store.note_access("erased", row.__tablename__, row.id, 1, world)


def erase_after_restore(store: Store, world: World) -> int:
    """Erase anew whom a restored backup has brought back; how many."""
    people, accounts = store.unfinished_erasures(), Accounts(store.session)
    for person_id in people:
        accounts.end_traces(person_id, world.now())
        account = accounts.account(person_id, store.territory_id)
        if account is not None:
            end_account(accounts, store, account, world)
        else:
            _mask(store, store.file_of(person_id), world)
    return len(people)


def retire_people(store: Store, months: int, world: World) -> int:
    """Erase some of those who have not been seen for so many months; how many. Called again while there are any."""
    erased = 0
    for person_id in store.long_unseen(world.now() - months * _MONTH)[:_BATCH]:
        with suppress(Conflict), store.attempt():  # on the way after all, or changed at this very moment: not half erased
            erase_person(store, store.file_of(person_id), world)
            erased += 1
    return erased


def _free(store: Store, row: Volunteer, world: World) -> None:
    """Rides to come go back to planning."""
    offers = [offer for offer in store.offers_to(row.id) if offer.state in ("sent", "accepted")]
    told = store.told((offer.volunteer_id, offer.round_id) for offer in offers).values()
    coming = {ride.leg_id for ride in told if ride.active and ride.pickup_at > world.now()}
    legs = store.offer_legs(offer.id for offer in offers)
    for offer in offers:
        if any(about.leg_id in coming for about in legs[offer.id]):
            take_back_offer(store, offer, world)
    planned = {ride.leg_id: leg.request_id for ride, leg, _, _ in store.rides_ahead(row.id, world.now())}
    ways = store.legs_of(set(planned.values()), lock=True).values()
    unplan(store, [leg for found in ways for leg in found if leg.id in planned], world)


def _mask(store: Store, row: Beneficiary | Volunteer, world: World) -> None:
    """Everything but the identity, which is gone already."""
    now = world.now()
    values: dict[str, Any] = {"home": _area(row.home), "language": "fr", "preferred_channel": None, "erased_at": now}
    requests = store.requests_for(row.id) if isinstance(row, Beneficiary) else ()
    about = {str(request.id) for request in requests}
    for round_ in _plans_about(store, row):
        masked = mask_plan(round_.plan or {}, about, {str(row.id)})
        if masked != round_.plan:
            round_.plan = masked
    for stop in store.stops_at(row.id):
        stop.place = _area(stop.place)
    if isinstance(row, Beneficiary):
        for request in requests:
            request.origin, request.destination = _area(request.origin), _area(request.destination)
            request.places = None
        store.forget_series(row.id, now.date() - timedelta(days=1))
        values |= {"needs": [], "alone": False}
    else:
        values |= {"accepts_needs": []}
        if row.engagement not in ("left", "refused"):
            store.engage(row, "left", world)
    store.clear_sealed(row.id)
    store.change(row, values)
    store.forget_traces(row.id, now)
    store.forget_notices_to(row.id)
    store.forget_sms_of(row.id)


def mask_plan(plan: dict[str, Any], requests: Collection[str], drivers: Collection[str]) -> dict[str, Any]:
    """A plan that shows only the area of these people's places."""
    runs = [
        {
            **run,
            "stops": [
                {**stop, "place": list(_area(stop["place"]))}
                if stop["request"] in requests or (run["driver"] in drivers and stop["kind"] in ("home", "position"))
                else stop
                for stop in run["stops"]
            ],
        }
        for run in plan["runs"]
    ]
    return {**plan, "runs": runs}


def _plans_about(store: Store, row: Beneficiary | Volunteer) -> Sequence[Round]:
    if isinstance(row, Beneficiary):
        return store.planned_rounds({request.service_date for request in store.requests_for(row.id)})
    return store.planned_rounds((), row.id)


def _area(point: Any) -> tuple[float, float]:
    return round(point[0], AREA_DIGITS), round(point[1], AREA_DIGITS)
