"""Places: words to points, and a point's name. Both are posted because an address is somebody's and lines of addresses end in logs; both
only read, so a repeated call is the same question again and they take no Idempotency-Key."""

from fastapi import APIRouter

from api.auth import CallerOf
from api.deps import Parts, PartsOf
from api.schemas_places import PlacesOut
from dispatch.model.day import Point
from dispatch.model.places import PlaceQuestion, PointQuestion
from dispatch.service.people import policy_of
from dispatch.service.places import bias_of, check_on_roads
from dispatch.storage.store import Store
from routing.places import Asked

router = APIRouter(prefix="/places", tags=["places"])


@router.post("/search")
def search_places(question: PlaceQuestion, caller: CallerOf, parts: PartsOf) -> PlacesOut:
    """Places for words, the best first."""
    with parts.reading(caller.territory_id) as store:
        if question.near is not None:
            _check(store, parts, {"near": question.near})
        near = question.near or bias_of(store, parts.network, caller.holder_id if caller.role == "beneficiary" else None)
    return PlacesOut.of(parts.geocoder.search(Asked(text=question.text, near=near, limit=question.limit, typing=question.typing)))


@router.post("/reverse")
def name_point(question: PointQuestion, caller: CallerOf, parts: PartsOf) -> PlacesOut:
    """The point, exactly as it was given, called after the nearest address."""
    with parts.reading(caller.territory_id) as store:
        _check(store, parts, {"point": question.point})
    return PlacesOut.of(parts.geocoder.name_point(*question.point))


def _check(store: Store, parts: Parts, points: dict[str, Point]) -> None:
    """A point that nobody can be driven to is told here already, as it would be in a request."""
    check_on_roads(parts.network, policy_of(store.territory()).snap_limit_metres, points)
