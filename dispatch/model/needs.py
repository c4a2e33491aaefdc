"""What people need on a ride: a closed catalogue of what a driver must do or bring, never why; docs/needs.md has their codes.

In: a word. Out: a need, or ValueError. A diagnosis cannot be written down, since no list of refused words would be complete; what it means
for a ride is in the catalogue or is to be added here, for every territory alike. Day files (`model.day`) stay free: they name nobody.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

#: Need -> how it is called in French and in English.
NEEDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "fold_wheelchair": ("fauteuil roulant pliant", "folding wheelchair"),
        "wheelchair_seated": ("voyage assis dans son fauteuil roulant", "travels seated in the wheelchair"),
        "electric": ("fauteuil roulant électrique", "electric wheelchair"),
        "wide": ("fauteuil roulant large", "wide wheelchair"),
        "scooter": ("scooter de mobilité", "mobility scooter"),
        "walker": ("déambulateur", "walker"),
        "cane": ("canne", "cane"),
        "crutches": ("béquilles", "crutches"),
        "service_animal": ("animal d'assistance", "service animal"),
        "oxygen": ("bouteille d'oxygène", "oxygen bottle"),
        "visual": ("guider une personne qui voit mal", "guiding somebody who sees badly"),
        "hearing": ("parler face à une personne qui entend mal", "facing somebody who hears badly"),
        "memory": ("rappeler le trajet et l'horaire", "reminding of ride and time"),
        "never_alone": ("ne jamais laisser seul", "never left alone"),
        "door_to_door": ("de porte à porte", "door to door"),
        "door_through_door": ("jusque dans le logement", "door through door"),
        "front_seat": ("place à l'avant", "front seat"),
        "low_step": ("voiture basse", "low step"),
        "alone_in_car": ("seul passager", "alone in the car"),
        "short_ride": ("trajet court", "short ride"),
        "child_seat": ("siège enfant", "child seat"),
        "companion_required": ("accompagnant indispensable", "companion required"),
        "belt_exemption": ("dispense de ceinture", "exempt from the seat belt"),
    }
)


def check_need(word: str) -> str:
    """Accept a need of the catalogue."""
    if word not in NEEDS:
        raise ValueError("is not in the catalogue of needs (docs/needs.md), which has no diagnoses")
    return word


Need = Annotated[str, AfterValidator(check_need), WithJsonSchema({"type": "string", "enum": list(NEEDS)})]


def need_called(label: str) -> str:
    """The need of this name, French or English; the word itself when there is none, for the check that follows."""
    wanted = label.casefold()
    return next((need for need, labels in NEEDS.items() if wanted in (labels[0].casefold(), labels[1].casefold())), label)
