"""« Nouvelle demande » : a coordinator takes a request by telephone, in the order in which people speak.

The page asks the API for people, places and what would be possible; here is only what it needs to know to begin with.
"""

import datetime as dt

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.pages.visit import VisitOf
from dispatch.model.asking import PURPOSES
from dispatch.model.intake import RowId
from dispatch.model.needs import NEEDS
from dispatch.rules.free_days import knows_school
from dispatch.service.people import rules_of
from dispatch.storage.tables import Beneficiary, TripRequest

router = APIRouter(prefix="/new", include_in_schema=False)
_REMEMBERED = 5
_LOOKED_AT = 40


@router.get("")
def show_new_request(visit: VisitOf) -> HTMLResponse:
    """The whole form."""
    with visit.reading() as store:
        territory = store.territory()
    english = visit.language == "en"
    return visit.page(
        "phone/new.html",
        territory,
        tomorrow=visit.today(territory) + dt.timedelta(days=1),
        catalogue={need: words[english] for need, words in NEEDS.items()},
        school=knows_school(rules_of(territory).holidays),
        purposes={code: words[english] for code, words in PURPOSES.items()},
    )


@router.get("/person/{beneficiary_id}")
def show_caller(beneficiary_id: RowId, visit: VisitOf) -> HTMLResponse:
    """Who calls: home, needs, and where they usually go, the most frequent first."""
    with visit.reading() as store:
        row, territory = store.get(Beneficiary, beneficiary_id), store.territory()
        identity = store.identity(row.id)
        past = store.page(TripRequest, None, _LOOKED_AT, beneficiary_id=row.id)
    visit.parts.note_read(visit.caller, "beneficiary", row.id)
    counted: dict[tuple[float, float], int] = {}
    for request in past:
        counted[request.destination] = counted.get(request.destination, 0) + 1
    usual = sorted(counted, key=lambda point: -counted[point])[:_REMEMBERED]
    places = [(point, visit.place(point)) for point in (row.home, *usual)]
    return visit.page(
        "phone/person.html",
        territory,
        row=row,
        identity=identity,
        home=places[0],
        usual=places[1:],
        needs=visit.needs(row.needs),
        coming=[request for request in past if request.state in ("submitted", "accepted")][:_REMEMBERED],
    )
