"""Words of the coordinator's console."""

from collections.abc import Mapping

from dispatch.model.notices import Language

CONSOLE: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "skip": "Aller au contenu",
        "nav": "Rubriques",
        "nav_day": "Journée",
        "nav_new": "Nouvelle demande",
        "nav_people": "Personnes",
        "nav_volunteers": "Bénévoles",
        "nav_territory": "Territoire",
        "nav_journal": "Journal",
    },
    "en": {
        "skip": "Skip to content",
        "nav": "Sections",
        "nav_day": "Day",
        "nav_new": "New request",
        "nav_people": "People",
        "nav_volunteers": "Volunteers",
        "nav_territory": "Territory",
        "nav_journal": "Journal",
    },
}
