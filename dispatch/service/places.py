"""Points that people give us must be near a road: a wrong point is told at once, not found out by a volunteer.

In: named points and the network. Out: nothing, or BadInput with one fault per far point. Called by the other services, and by the routes
that look for places, which also ask near what somebody's places are likely to be.
"""

from collections.abc import Mapping
from uuid import UUID

import numpy as np

from dispatch.errors import BadInput, Fault
from dispatch.model.day import Point
from dispatch.storage.store import Store
from dispatch.storage.tables import Beneficiary
from routing.network import RoadNetwork
from routing.snap import snap


def check_on_roads(network: RoadNetwork, limit_m: int, points: Mapping[str, Point]) -> None:
    """Refuse points farther than the limit from every road of the network."""
    snapped = snap(network, np.array(list(points.values()), np.float64).reshape(-1, 2), limit_m=float(limit_m))
    faults = [
        Fault(name, "far_from_roads", f"is {metres / 1000:.1f} km from the nearest road: check the point (longitude comes first)")
        for name, edge, metres in zip(points, snapped.edge, snapped.distance_m, strict=True)
        if edge < 0
    ]
    if faults:
        raise BadInput(faults)


def bias_of(store: Store, network: RoadNetwork, beneficiary_id: UUID | None) -> Point:
    """Near what to look first: a beneficiary's own home; for others the middle of the roads."""
    if beneficiary_id is not None:
        return store.get(Beneficiary, beneficiary_id).home
    west, south, east, north = network.bounds
    return (west + east) / 2, (south + north) / 2
