"""« Cette proposition est sans réponse : elle ne peut pas être acceptée. » A step that is not possible, in French.

In: a kind and two of its states (`dispatch.model.lifecycle`). Out: a sentence. Called by `api.french`; a test compares the states.
"""

from collections.abc import Mapping
from types import MappingProxyType

#: kind -> the thing, its pronoun
_THINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "request": ("Cette demande", "elle"),
        "leg": ("Ce trajet", "il"),
        "offer": ("Cette proposition", "elle"),
        "round": ("Cette planification", "elle"),
        "run": ("Cette tournée", "elle"),
        "engagement": ("Ce dossier de bénévole", "il"),
        "credential": ("Ce justificatif", "il"),
    }
)
#: kind -> state -> how the thing is, and what it could become
STATES: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "request": {
            "submitted": ("à examiner", "remise à examiner"),
            "accepted": ("acceptée", "acceptée"),
            "refused": ("refusée", "refusée"),
            "cancelled": ("annulée", "annulée"),
            "closed": ("close", "close"),
        },
        "leg": {
            "pending": ("à planifier", "remis à planifier"),
            "on_call": ("en attente de l'heure du retour", "mis en attente de l'heure du retour"),
            "standby": ("sans bénévole pour l'instant", "laissé sans bénévole"),
            "proposed": ("planifié, sans proposition envoyée", "planifié"),
            "offered": ("proposé à un bénévole", "proposé à un bénévole"),
            "confirmed": ("confirmé", "confirmé"),
            "en_route": ("en cours, le bénévole est en route", "mis en route"),
            "at_pickup": ("en cours, le bénévole est sur place", "noté comme sur place"),
            "on_board": ("en cours, la personne est à bord", "noté comme à bord"),
            "completed": ("terminé", "terminé"),
            "no_show": ("clos, la personne n'était pas là", "noté comme absence de la personne"),
            "missed": ("manqué de notre fait", "noté comme manqué"),
            "cancelled": ("annulé", "annulé"),
            "late_cancelled": ("annulé tardivement", "annulé"),
            "unmet": ("clos, sans bénévole trouvé", "clos sans bénévole"),
        },
        "offer": {
            "sent": ("en attente de réponse", "envoyée de nouveau"),
            "accepted": ("acceptée", "acceptée"),
            "declined": ("refusée", "refusée"),
            "expired": ("restée sans réponse dans le délai", "close sans réponse"),
            "withdrawn": ("retirée", "retirée"),
        },
        "round": {
            "queued": ("en attente", "remise en attente"),
            "running": ("en cours", "lancée"),
            "done": ("terminée", "terminée"),
            "failed": ("en échec", "mise en échec"),
        },
        "run": {
            "planned": ("planifiée", "remise en planification"),
            "published": ("publiée", "publiée"),
            "started": ("en cours", "commencée"),
            "finished": ("terminée", "terminée"),
            "verified": ("vérifiée", "vérifiée"),
            "cancelled": ("annulée", "annulée"),
        },
        "engagement": {
            "applied": ("à l'état de candidature", "remis à l'état de candidature"),
            "vetting": ("en cours d'examen", "mis à l'examen"),
            "active": ("actif", "activé"),
            "suspended": ("suspendu", "suspendu"),
            "left": ("clos, la personne est partie", "clos par un départ"),
            "refused": ("refusé", "refusé"),
        },
        "credential": {
            "submitted": ("à vérifier", "remis à vérifier"),
            "valid": ("valable", "validé"),
            "expired": ("expiré", "noté comme expiré"),
            "replaced": ("remplacé par un plus récent", "remplacé"),
            "refused": ("refusé", "refusé"),
        },
    }
)


def no_move(kind: str, before: str, after: str) -> str | None:
    """Why a step is not possible; None for what is no kind or state."""
    known = STATES.get(kind, {})
    if before not in known or after not in known:
        return None
    thing, it = _THINGS[kind]
    if before == after or known[before][0] == known[after][1]:
        return f"{thing} est déjà {known[before][0]}."
    return f"{thing} est {known[before][0]} : {it} ne peut pas être {known[after][1]}."
