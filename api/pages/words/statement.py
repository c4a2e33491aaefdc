"""The accessibility statement: in substance what the French model statement asks for (loi no 2005-102, article 47; RGAA 4.1)."""

from collections.abc import Mapping

from dispatch.model.notices import Language

STATEMENT: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "acc_link": "Accessibilité : partiellement conforme",
        "acc_title": "Déclaration d'accessibilité",
        "acc_intro": "Nous voulons que tout le monde puisse utiliser ce service, comme le demande l'article 47 de la loi n° 2005-102 "
        "du 11 février 2005. Cette déclaration concerne toutes les pages de ce service.",
        "acc_state_title": "État de conformité",
        "acc_state": "Ce service est partiellement conforme au référentiel général d'amélioration de l'accessibilité (RGAA 4.1). "
        "C'est notre propre évaluation.",
        "acc_tests_title": "Ce qui a été vérifié",
        "acc_test_axe": "Les pages sont contrôlées automatiquement avec l'outil axe (WCAG 2.2, niveaux A et AA), en clair et en sombre.",
        "acc_test_keys": "Les parcours principaux sont faits au clavier seul, et sur un écran de 320 pixels de large "
        "(comme avec un agrandissement de 400 %).",
        "acc_test_none": "Aucun audit n'a été fait par un organisme extérieur ni avec des personnes handicapées. "
        "Nous ne pouvons donc pas donner de taux de conformité.",
        "acc_gaps_title": "Ce qui n'est pas accessible, ou pas vérifié",
        "acc_gap_map": "La carte des coordinateurs n'est pas lisible avec un lecteur d'écran. Les mêmes informations sont dans des listes.",
        "acc_gap_readers": "Les pages n'ont pas été essayées de façon complète avec NVDA, JAWS ou VoiceOver.",
        "acc_gap_falc": "Les textes sont simples. Mais des personnes concernées ne les ont pas relus, comme le demande le FALC.",
        "acc_date": "Cette déclaration a été faite le 26 novembre 2026.",
        "acc_contact_title": "Vous n'arrivez pas à utiliser une page ?",
        "acc_contact": "Dites-le à la coordination de votre territoire : le numéro est dans nos messages et en bas des pages. "
        "Elle fait la démarche avec vous, par téléphone, ou vous donne l'information sous une autre forme.",
        "acc_appeal_title": "Voies de recours",
        "acc_appeal": "Si vous nous avez signalé un défaut d'accessibilité et que nous ne vous avons pas répondu de façon satisfaisante, "
        "vous pouvez :",
        "acc_appeal_form": "écrire au Défenseur des droits sur formulaire.defenseurdesdroits.fr ;",
        "acc_appeal_delegate": "contacter le délégué du Défenseur des droits dans votre région ;",
        "acc_appeal_post": "envoyer un courrier, sans timbre : Défenseur des droits, Libre réponse 71120, 75342 Paris CEDEX 07.",
    },
    "en": {
        "acc_link": "Accessibility: partially compliant",
        "acc_title": "Accessibility statement",
        "acc_intro": "We want everybody to be able to use this service, as article 47 of the French law no. 2005-102 of 11 February 2005 "
        "asks. This statement is about all pages of this service.",
        "acc_state_title": "How far it complies",
        "acc_state": "This service complies partially with the French accessibility reference (RGAA 4.1). This is our own assessment.",
        "acc_tests_title": "What was tested",
        "acc_test_axe": "Pages are checked automatically with axe (WCAG 2.2, levels A and AA), in light and dark.",
        "acc_test_keys": "The main paths are walked with the keyboard alone, and on a screen 320 pixels wide (as enlarged to 400%).",
        "acc_test_none": "No outside body has made an audit, and none was made with people with disabilities. "
        "So we cannot give a rate of compliance.",
        "acc_gaps_title": "What is not accessible, or not tested",
        "acc_gap_map": "The coordinators' map cannot be read with a screen reader. The same information is in lists.",
        "acc_gap_readers": "The pages were not fully tried with NVDA, JAWS or VoiceOver.",
        "acc_gap_falc": "Texts are written simply, but people concerned have not proofread them, as easy-to-read rules ask.",
        "acc_date": "This statement was made on 26 November 2026.",
        "acc_contact_title": "A page does not work for you?",
        "acc_contact": "Tell the coordination of your territory: the number is in our messages and at the bottom of pages. "
        "They do it with you by telephone, or give you the information in another form.",
        "acc_appeal_title": "If that does not help",
        "acc_appeal": "If you told us of an accessibility problem and our answer did not satisfy you, you can:",
        "acc_appeal_form": "write to the French Défenseur des droits at formulaire.defenseurdesdroits.fr;",
        "acc_appeal_delegate": "contact the delegate of the Défenseur des droits in your region;",
        "acc_appeal_post": "send a letter, without a stamp: Défenseur des droits, Libre réponse 71120, 75342 Paris CEDEX 07.",
    },
}
