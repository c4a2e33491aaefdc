"""« Cette proposition est restée sans réponse : vous ne pouvez pas l'accepter. » A step that is not possible, in French.

In: a kind and two of its states (`dispatch.model.lifecycle`). Out: a sentence. Called by `api.french`; a test compares the states.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from dispatch.model.lifecycle import TABLE, Kind

_THINGS: Mapping[str, str] = MappingProxyType(
    {
        "request": "Cette demande",
        "leg": "Ce trajet",
        "offer": "Cette proposition",
        "round": "Cette planification",
        "run": "Cette tournée",
        "engagement": "Ce dossier de bénévole",
        "credential": "Ce justificatif",
    }
)
#: kind -> state -> how the thing is, and what somebody does who brings it there
STATES: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "request": {
            "submitted": ("à examiner", "la remettre à l'examen"),
            "accepted": ("acceptée", "l'accepter"),
            "refused": ("refusée", "la refuser"),
            "cancelled": ("annulée", "l'annuler"),
            "closed": ("close", "la clore"),
        },
        "leg": {
            "pending": ("à planifier", "le remettre à planifier"),
            "on_call": ("en attente de l'heure du retour", "le mettre en attente de l'heure du retour"),
            "standby": ("sans bénévole pour l'instant", "le laisser sans bénévole"),
            "proposed": ("planifié, sans que personne ait été sollicité", "le planifier"),
            "offered": ("proposé à un bénévole qui n'a pas encore répondu", "le proposer à un bénévole"),
            "confirmed": ("confirmé", "le confirmer"),
            "en_route": ("en cours : le bénévole est en route", "noter que le bénévole est en route"),
            "at_pickup": ("en cours : le bénévole est sur place", "noter que le bénévole est sur place"),
            "on_board": ("en cours : la personne est à bord", "noter que la personne est à bord"),
            "completed": ("terminé", "le terminer"),
            "no_show": ("clos : la personne n'était pas là", "noter l'absence de la personne"),
            "missed": ("noté comme manqué de notre fait", "le noter comme manqué"),
            "cancelled": ("annulé", "l'annuler"),
            "late_cancelled": ("annulé tardivement", "l'annuler"),
            "unmet": ("clos sans bénévole trouvé", "le clore sans bénévole"),
        },
        "offer": {
            "sent": ("en attente de réponse", "l'envoyer de nouveau"),
            "accepted": ("acceptée", "l'accepter"),
            "declined": ("refusée", "la refuser"),
            "expired": ("restée sans réponse dans le délai", "la clore sans réponse"),
            "withdrawn": ("retirée", "la retirer"),
        },
        "round": {
            "queued": ("en attente", "la remettre en attente"),
            "running": ("en cours", "la lancer"),
            "done": ("terminée", "la terminer"),
            "failed": ("en échec", "l'arrêter"),
        },
        "run": {
            "planned": ("planifiée", "la remettre à planifier"),
            "published": ("publiée", "la publier"),
            "started": ("en cours", "la commencer"),
            "finished": ("terminée", "la terminer"),
            "verified": ("vérifiée", "la vérifier"),
            "cancelled": ("annulée", "l'annuler"),
        },
        "engagement": {
            "applied": ("une candidature", "en refaire une candidature"),
            "vetting": ("à l'examen", "le mettre à l'examen"),
            "active": ("actif", "l'activer"),
            "suspended": ("suspendu", "le suspendre"),
            "left": ("clos par un départ", "noter un départ"),
            "refused": ("refusé", "le refuser"),
        },
        "credential": {
            "submitted": ("à vérifier", "le remettre à vérifier"),
            "valid": ("validé", "le valider"),
            "expired": ("expiré", "le noter comme expiré"),
            "replaced": ("remplacé par un plus récent", "le remplacer"),
            "refused": ("refusé", "le refuser"),
        },
    }
)
#: People choose every step of these themselves, and are told those that there are.
_CHOSEN = {"engagement"}
_KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}


def no_move(kind: str, before: str, after: str) -> str | None:
    """Why a step is not possible; None for what is no kind or state."""
    known = STATES.get(kind, {})
    if before not in known or after not in known:
        return None
    is_now, does = known[before][0], known[after][1]
    if before == after:
        return f"{_THINGS[kind]} est déjà {is_now}."
    ways = [known[state][1] for state in known if state in TABLE[_KINDS[kind]][before]] if kind in _CHOSEN else []
    rest = f" Vous pouvez {' ou '.join([', '.join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)}." if ways else ""
    return f"{_THINGS[kind]} est {is_now}. Vous ne pouvez pas {does}.{rest}"
