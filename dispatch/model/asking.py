"""What is said around a request: what for, through whom, and why it is not wanted any more or cannot be.

Codes are those of the field's standards where they have any (transactional data specification, GTFS-Flex); labels are French and English.
Read by intake, rules, services and the API.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Purpose = Literal[
    "medical", "dialysis", "health", "employment", "interview", "training", "administrative", "grocery", "personal", "visit", "cemetery",
    "recreation", "day_centre", "public_transit",
]  # fmt: skip
PURPOSES: Mapping[Purpose, tuple[str, str]] = MappingProxyType(
    {
        "medical": ("rendez-vous médical", "medical appointment"),
        "dialysis": ("dialyse", "dialysis"),
        "health": ("santé, hors rendez-vous médical", "health, other than an appointment"),
        "employment": ("travail", "work"),
        "interview": ("entretien d'embauche", "job interview"),
        "training": ("formation", "training"),
        "administrative": ("démarche administrative", "administrative matter"),
        "grocery": ("courses", "shopping"),
        "personal": ("raison personnelle", "personal matter"),
        "visit": ("visite à un proche", "visit to somebody"),
        "cemetery": ("cimetière", "cemetery"),
        "recreation": ("loisirs", "leisure"),
        "day_centre": ("accueil de jour", "day centre"),
        "public_transit": ("rejoindre un train ou un car", "to a train or coach"),
    }
)
Channel = Literal["api", "phone", "prescriber", "web", "partner", "import", "series"]
CancelReason = Literal["booked_by_mistake", "booking_time", "changed_my_mind", "unable_to_make_trip", "other_transport", "other"]
RefusalCode = Literal[
    "not_in_service_area", "invalid_service_hours", "invalid_user", "invalid_pickup_address", "invalid_dropoff_address",
    "no_vehicles_available", "unable_to_service_trip", "bad_weather", "wrong_service_level", "other",
]  # fmt: skip
REFUSALS: Mapping[RefusalCode, tuple[str, str]] = MappingProxyType(
    {
        "not_in_service_area": ("Le trajet sort du territoire.", "The ride leaves the territory."),
        "invalid_service_hours": ("Le service ne fonctionne pas à cette heure.", "The service does not run at that time."),
        "invalid_user": ("Cette personne n'a pas droit à ce trajet.", "This person is not entitled to this ride."),
        "invalid_pickup_address": ("L'adresse de départ ne convient pas.", "The pickup address does not work."),
        "invalid_dropoff_address": ("L'adresse d'arrivée ne convient pas.", "The destination does not work."),
        "no_vehicles_available": ("Aucun bénévole n'est libre.", "No volunteer is free."),
        "unable_to_service_trip": ("Ce trajet ne peut pas être assuré.", "This ride cannot be provided."),
        "bad_weather": ("La météo ne le permet pas.", "The weather does not allow it."),
        "wrong_service_level": ("Cette personne a besoin d'un autre service.", "This person needs another service."),
        "other": ("La demande ne peut pas être acceptée.", "The request cannot be accepted."),
    }
)
Direction = Literal["outbound", "return"]
