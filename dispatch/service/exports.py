"""What there is, as pages of a sheet: volunteers, beneficiaries, trip requests, a day's offers.

In: a store, the last row of the page before. Out: values by column, and after which row to go on. Called by the API page by page, so that a
large territory is never held as a whole. Columns are those that an import takes (`model.sheets`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from dispatch.model.sheets import OFFERS, SHEETS, Column, SheetName
from dispatch.service.offers import show_offers
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary, Offer, TripRequest, Volunteer

Values = dict[str, object]
PAGE = 500


@dataclass(frozen=True, slots=True)
class SheetPage:
    """Some lines, how many people of which kind they show, and the row to go on after; none at the end."""

    rows: Sequence[Values]
    people: dict[str, int]
    next: UUID | None


def export_page(store: Store, name: SheetName, after: UUID | None, day: date | None = None) -> SheetPage:
    """Lines that an import of the same name takes, newest first; of requests those of one day, if it is given."""
    if name == "trip-requests":
        return _trips(store, after, day)
    rows = store.page(Volunteer, after, PAGE) if name == "volunteers" else store.page(Beneficiary, after, PAGE)
    who = store.identities(row.id for row in rows)
    columns = SHEETS[name]
    lines = [_values(row, columns, {**asdict(who[row.id]), **_point("home", row.home)}) for row in rows]
    return SheetPage(lines, {"volunteer" if name == "volunteers" else "beneficiary": len(rows)}, _next(rows))


def offers_page(store: Store, after: UUID | None, day: date) -> SheetPage:
    """A day's offers, latest first, one line per way."""
    rows = store.offers_of_day(day, after, PAGE)
    views = show_offers(store, rows)
    volunteers = store.identities(row.volunteer_id for row in rows)
    lines = []
    for view in views:
        told: Values = {"date": view.request.service_date}
        for kind, who in (("volunteer", volunteers[view.offer.volunteer_id]), ("beneficiary", view.identity)):
            told |= {kind: who.name, f"{kind}_phone": who.phone}
        for leg, assignment in view.rides:
            way = {"direction": leg.direction, "told_pickup_at": assignment.told_pickup_at, "dropoff_at": assignment.dropoff_at}
            lines.append(_values(view.offer, OFFERS, told | way))
    people = {"volunteer": len(volunteers), "beneficiary": len({view.beneficiary.id for view in views})}
    return SheetPage(lines, people, _next(rows))


def _trips(store: Store, after: UUID | None, day: date | None) -> SheetPage:
    rows = store.page(TripRequest, after, PAGE, **({"service_date": day} if day else {}))
    who = store.identities(row.beneficiary_id for row in rows)
    lines, places = [], store.places_of(rows)
    for row in rows:
        person = who[row.beneficiary_id]
        told: Values = {"date": row.service_date, "beneficiary": person.name, "phone": person.phone, **asdict(places[row.id])}
        lines.append(_values(row, SHEETS["trip-requests"], told | _point("origin", row.origin) | _point("destination", row.destination)))
    return SheetPage(lines, {"beneficiary": len(who)}, _next(rows))


def _values(row: object, columns: Sequence[Column], told: Values) -> Values:
    return {column.name: told[column.name] if column.name in told else getattr(row, column.name) for column in columns}


def _point(name: str, point: tuple[float, float]) -> Values:
    return {f"{name}_lon": float(point[0]), f"{name}_lat": float(point[1])}


def _next(rows: Sequence[Volunteer | Beneficiary | TripRequest | Offer]) -> UUID | None:
    return rows[-1].id if len(rows) == PAGE else None
