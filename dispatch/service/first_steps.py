"""The demo's first steps: what somebody who coordinates for the first time tries, and which of it is done.

In: a day of the demo. Out: steps in order. Called by the console; known from what there is, so that nobody has to tick anything.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from dispatch.storage.store import Store
from dispatch.storage.tables import Offer, Round, TripRequest

Step = Literal["answer", "entrust", "call", "publish"]


def first_steps(store: Store, day: date) -> Mapping[Step, bool]:
    """Whether each was done; four queries for one row."""
    return {
        "answer": bool(store.page(Offer, None, 1, answered_via="phone")),
        "entrust": bool(store.page(Round, None, 1, service_date=day, seconds=0.0, state="done")),
        "call": bool(store.page(TripRequest, None, 1, channel="phone")),
        "publish": bool(store.publications(day)),
    }
