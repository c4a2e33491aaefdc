"""Whether what is written of a person's eligibility covers a ride, and what is missing where it does not.

In: terms (none: nothing is written), a wish. Out: an obstacle, or None. Called by `service.trips` and `service.series`, in territories that
ask for eligibility. Sentences say what is missing, and no date or number of the person's: whoever asks may be somebody else.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from dispatch.rules.booking import Obstacle

NOT_ELIGIBLE = "not_eligible"


class Terms(Protocol):
    """What is written."""

    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_until(self) -> date | None: ...
    @property
    def purposes(self) -> Sequence[str]: ...
    @property
    def companion(self) -> bool: ...


def lacking(terms: Terms | None, day: date, purpose: str | None, seats: int, field: str) -> Obstacle | None:
    """What stands in the way of a ride on a day (`field`: where it was given), but for how many there are in its month."""
    if terms is None:
        fr = "Aucun droit aux trajets n'est noté pour cette personne."
        en = "has no eligibility on file: the coordination writes it down first"
        return Obstacle(field="beneficiary_id", code=NOT_ELIGIBLE, sentence=fr, sentence_en=en)
    if terms.valid_from is not None and day < terms.valid_from:
        fr = "Le droit aux trajets de cette personne n'a pas encore commencé ce jour-là."
        en = "is before this person's eligibility begins: give a later day"
        return Obstacle(field=field, code=NOT_ELIGIBLE, sentence=fr, sentence_en=en)
    if terms.valid_until is not None and day > terms.valid_until:
        fr = "Le droit aux trajets de cette personne sera terminé ce jour-là."
        en = "is after the end of this person's eligibility: give an earlier day, or have it renewed by the coordination"
        return Obstacle(field=field, code=NOT_ELIGIBLE, sentence=fr, sentence_en=en)
    if terms.purposes and purpose not in terms.purposes:
        fr = "Le droit aux trajets de cette personne ne vaut pas pour ce motif."
        en = "must be one of the purposes that this person's eligibility is for"
        return Obstacle(field="purpose", code=NOT_ELIGIBLE, sentence=fr, sentence_en=en)
    if terms.companion and seats < 2:
        fr = "Le droit aux trajets de cette personne ne vaut qu'avec quelqu'un qui l'accompagne : comptez sa place."
        en = "must be 2 or more: this person's eligibility is for rides with somebody who comes along"
        return Obstacle(field="seats", code=NOT_ELIGIBLE, sentence=fr, sentence_en=en)
    return None


def used_up(most: int, rides: int, field: str) -> Obstacle | None:
    """Whether a month has all its rides: so many of `most` are asked for."""
    if rides < most:
        return None
    fr = "Cette personne a déjà tous les trajets auxquels elle a droit ce mois-là."
    en = "is in a month for which this person has every ride that the eligibility gives: give a day of another month"
    return Obstacle(field=field, code=NOT_ELIGIBLE, sentence=fr, sentence_en=en)
