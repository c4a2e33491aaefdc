"""Words of maps, wherever one stands."""

from collections.abc import Mapping

from dispatch.model.notices import Language

MAP: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "map": "Carte",
        "map_title": "Carte : flèches pour déplacer, + et − pour agrandir",
        "map_no_drawing": "Ce navigateur ne peut pas dessiner la carte. Tout ce qu'elle montre est aussi dans la liste et la chronologie.",
        "map_failed": "La carte n'a pas pu être chargée.",
        "map_again": "Réessayer",
        "map_whole": "Tout voir",
        "map_zoom_in": "Agrandir",
        "map_zoom_out": "Réduire",
        "map_who": "D'où viennent ces données",
        "map_aboard": "avec quelqu'un à bord",
        "map_empty": "à vide",
        "map_pickup": "prise en charge",
        "map_dropoff": "dépose",
        "map_home": "domicile du bénévole",
        "map_waiting": "sans bénévole",
    },
    "en": {
        "map": "Map",
        "map_title": "Map: arrows move it, + and − zoom",
        "map_no_drawing": "This browser cannot draw the map. All that it shows is in the list and the timeline too.",
        "map_failed": "The map could not be loaded.",
        "map_again": "Try again",
        "map_whole": "Show all",
        "map_zoom_in": "Zoom in",
        "map_zoom_out": "Zoom out",
        "map_who": "Where this data comes from",
        "map_aboard": "with somebody aboard",
        "map_empty": "empty",
        "map_pickup": "pickup",
        "map_dropoff": "drop-off",
        "map_home": "volunteer's home",
        "map_waiting": "without a volunteer",
    },
}
