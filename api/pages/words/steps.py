"""Words of the demo's first steps."""

from collections.abc import Mapping

from dispatch.model.notices import Language

STEPS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "steps": "Premiers pas dans cette démonstration",
        "steps_intro": (
            "Tout est inventé, rien ne part : essayez sans crainte. Demain est déjà planifié et des bénévoles sont sollicités. "
            "Ouvrez un trajet « sans solution » pour lire pourquoi personne ne convient, puis :"
        ),
        "steps_answer": "Un bénévole vous répond : ouvrez un trajet « proposé, sans réponse », puis « A dit oui au téléphone ».",
        "steps_entrust": "Confiez un trajet au bénévole de votre choix : glissez-le sur sa ligne, ou ouvrez-le et « Demander ».",
        "steps_call": "Une personne appelle : « Nouvelle demande » vous dit en direct si c'est possible, et quoi lui répondre.",
        "steps_publish": "Tout est calé : « Prévenir les bénévoles » envoie à chacun sa feuille de route.",
        "steps_done": "fait",
        "steps_all": (
            "Vous avez planifié une journée. Pour relire un plan avant qu'il parte, un responsable le choisit : Territoire, "
            "« Proposer aux bénévoles »."
        ),
    },
    "en": {
        "steps": "First steps in this demonstration",
        "steps_intro": (
            "Everything is invented and nothing is sent: try without fear. Tomorrow is planned and volunteers are asked. "
            "Open a ride “without solution” to read why nobody fits, then:"
        ),
        "steps_answer": "A volunteer answers you by telephone: open a ride “offered, no answer yet”, then “Said yes by phone”.",
        "steps_entrust": "Entrust a ride to a volunteer of your choice: drag it onto the line, or open it and choose “Ask”.",
        "steps_call": "Somebody calls: “New request” says live whether it is possible, and what to answer.",
        "steps_publish": "All is settled: “Tell the volunteers” sends everybody the run sheet.",
        "steps_done": "done",
        "steps_all": "You have planned a day. To look at plans before they go out, a manager chooses so: Territory, “Asking volunteers”.",
    },
}
