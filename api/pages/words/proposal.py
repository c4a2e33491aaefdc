"""Words of the proposal: a plan that is looked at before volunteers are asked."""

from collections.abc import Mapping

from dispatch.model.notices import Language

PROPOSAL: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "proposal": "Proposition",
        "proposal_look": "Relire et envoyer ({count})",
        "proposal_help": (
            "Personne n'a encore été sollicité pour ces trajets. Décochez ce que vous ne voulez pas envoyer maintenant : cela reste "
            "planifié, et la prochaine planification le confirme ou trouve mieux."
        ),
        "proposal_none": "Rien n'attend d'être envoyé ce jour-là.",
        "proposal_at_once": (
            "Les propositions partent dès que le plan est fait. Pour les relire d'abord, un responsable le choisit : Territoire, "
            "« Proposer aux bénévoles »."
        ),
        "proposal_back": "Retour à la journée",
        "proposal_figures": "{served} trajets sur {all} ont quelqu'un ; {km} km, dont {empty} à vide",
        "proposal_wait": "{minutes} min d'attente pour les bénévoles",
        "proposal_from_to": "départ du domicile à {leaves}, retour à {back}",
        "proposal_held": "Déjà demandé ou confirmé :",
        "proposal_before": "On lui avait annoncé {at}, avec {name}.",
        "proposal_left": "Sans bénévole ({count})",
        "proposal_send": "Envoyer ce qui est coché",
        "proposal_send_one": "Envoyer à {name} seulement",
        "proposal_send_ask": "Envoyer maintenant la proposition aux bénévoles ? Chacun reçoit un seul message pour tous ses trajets.",
    },
    "en": {
        "proposal": "Proposal",
        "proposal_look": "Look and send ({count})",
        "proposal_help": (
            "Nobody has been asked about these rides yet. Untick what you do not want to send now: it stays planned, and the next "
            "planning confirms it or finds something better."
        ),
        "proposal_none": "Nothing waits to be sent on that day.",
        "proposal_at_once": "Offers go out once a plan is made. To look first, a manager chooses so: Territory, “Asking volunteers”.",
        "proposal_back": "Back to the day",
        "proposal_figures": "{served} of {all} rides have somebody; {km} km, {empty} of them empty",
        "proposal_wait": "{minutes} min of waiting for volunteers",
        "proposal_from_to": "leaves home at {leaves}, is back at {back}",
        "proposal_held": "Asked or confirmed before:",
        "proposal_before": "Was told {at}, with {name}.",
        "proposal_left": "Without a volunteer ({count})",
        "proposal_send": "Send what is ticked",
        "proposal_send_one": "Send to {name} only",
        "proposal_send_ask": "Send the proposal to volunteers now? Each gets a single message for all of his or her rides.",
    },
}
