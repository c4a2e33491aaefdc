"""Which objects of the data are places that people name, and what else they are called. A table; read by the rest of the folder."""

from routing.access import Tags

#: Settlements and parts of them -> how much they weigh when names are alike.
SETTLED = {
    "city": 1.0, "town": 0.9, "village": 0.8, "suburb": 0.6, "hamlet": 0.6, "quarter": 0.5, "neighbourhood": 0.5, "isolated_dwelling": 0.45,
    "locality": 0.4, "farm": 0.45, "square": 0.4, "island": 0.4,
}  # fmt: skip
STREET = "street"
STREET_WEIGHT, OTHER_WEIGHT = 0.3, 0.35
#: Where people are driven to: tag -> what the French call it. The first is its name when the data has none.
DESTINATIONS: dict[str, dict[str, str]] = {
    "amenity": {
        "hospital": "hôpital centre hospitalier", "clinic": "clinique maison de santé centre", "doctors": "médecin cabinet médical docteur",
        "dentist": "dentiste cabinet dentaire", "pharmacy": "pharmacie", "townhall": "mairie hôtel de ville", "courthouse": "tribunal",
        "social_facility": "foyer maison de retraite ehpad résidence", "nursing_home": "maison de retraite ehpad",
        "social_centre": "centre social", "community_centre": "salle des fêtes maison", "marketplace": "marché", "college": "lycée centre",
        "university": "université faculté", "school": "école collège lycée", "kindergarten": "crèche école maternelle",
        "childcare": "crèche garderie", "post_office": "poste", "bank": "banque", "library": "bibliothèque médiathèque",
        "place_of_worship": "église temple mosquée", "grave_yard": "cimetière", "police": "gendarmerie commissariat", "cinema": "cinéma",
        "theatre": "théâtre", "bus_station": "gare routière", "arts_centre": "centre culturel", "prison": "prison maison d'arrêt",
        "veterinary": "vétérinaire", "training": "centre de formation", "public_building": "maison services",
    },
    "healthcare": {
        "physiotherapist": "kinésithérapeute kiné", "laboratory": "laboratoire analyses", "dialysis": "dialyse", "nurse": "infirmier",
        "hospital": "hôpital", "clinic": "clinique", "doctor": "médecin", "dentist": "dentiste", "centre": "maison de santé centre",
        "rehabilitation": "rééducation", "optometrist": "opticien", "psychotherapist": "psychologue", "speech_therapist": "orthophoniste",
        "podiatrist": "podologue", "midwife": "sage-femme", "pharmacy": "pharmacie",
    },
    "shop": {
        "supermarket": "supermarché", "convenience": "épicerie", "mall": "centre commercial", "department_store": "grand magasin",
        "optician": "opticien", "hearing_aids": "audioprothésiste", "medical_supply": "matériel médical", "hairdresser": "coiffeur",
        "bakery": "boulangerie",
    },
    "railway": {"station": "gare", "halt": "gare halte"},
    "office": {
        "employment_agency": "agence emploi mission locale France Travail", "association": "association", "government": "administration",
        "ngo": "association", "charity": "association", "insurance": "assurance mutuelle",
    },
    "landuse": {"cemetery": "cimetière"},
    "leisure": {"sports_centre": "gymnase salle de sport", "swimming_pool": "piscine", "stadium": "stade"},
    "tourism": {"museum": "musée"},
    "aeroway": {"aerodrome": "aéroport"},
}  # fmt: skip
#: Of these, ones without a name are listed too: « Pharmacie » is enough to be driven to.
KNOWN_WITHOUT_NAME = {"pharmacy", "townhall", "doctors", "dentist", "post_office", "hospital", "supermarket", "station", "cemetery"}


def kind_of(tags: Tags) -> tuple[str, str, str] | None:
    """Kind, name and what else it is called, of a place that people name; None for anything else."""
    name = tags.get("name", "").strip()
    if (settled := tags.get("place")) in SETTLED:
        return (settled, name, "") if name else None
    for key, kinds in DESTINATIONS.items():
        kind = tags.get(key)
        if kind in kinds:
            called = kinds[kind]
            if name or kind in KNOWN_WITHOUT_NAME:
                return kind, name or called.split()[0].capitalize(), called
            return None
    return None
