"""Invented French names for the demo territory: communes, lieux-dits, streets, the river. Lists only; read by the rest of the folder.

None of the commune names is that of a real commune (compared with the official list of 34,875 of them); lieux-dits and streets are the
ordinary ones found everywhere.
"""

RIVER = "La Serline"
TOWN = "Montaubrac-sur-Serline"
BORDER_TOWN = "Bellerivoire"

COMMUNES = (
    "Orvelac", "Chantevelle", "Sermolles", "Pressignolle", "Aubignerolles", "Courvignac", "Vernouzelle", "Fontorbière", "Ligneroux",
    "Marzanges", "Taupignat", "Rochauvert", "Saint-Orvain", "Saint-Maldry", "Saint-Évrault-des-Landes", "Sainte-Aurinde",
    "Saint-Gordien", "Saint-Bravy", "Sainte-Mélusine", "Saint-Cyprandre", "Saint-Fulcry", "Saint-Vorles-sous-Bois", "Champfroux",
    "Grandvallon-le-Haut", "Vieilleprade", "Malaubret", "Combrelange", "Chassenoux", "Noirlande", "Villebrune-en-Pays", "Neuvireau",
    "Lavergnole", "Puyferrand-le-Neuf", "Montcharvin", "Beaucharme", "Trézolles", "Crozanges", "Évaillac", "Luzignolles",
    "Gourbelange", "Parsignat", "Bourdelas-le-Vieux", "Jaligneuil", "Mérinvaux", "Ambreuge", "Vauxgelin", "Quinssolle", "Tourzelat",
    "Rivaudan", "Ségonnet", "Cressolat", "Hautecombelle", "Laméroux", "Bussanges", "Chavignolat", "Désertelle", "Theillanges",
    "Monestiroux", "Arfolles", "Échassanges", "Coulandrat", "Dampvigne", "Franchelac", "Givrolles",
)  # fmt: skip

HAMLET_FIRST = (
    "Le Moulin", "La Grange", "Les Bordes", "La Croix", "Le Mas", "La Font", "Le Bois", "Les Chaumes", "La Côte", "Le Pré",
    "La Tuilerie", "Le Breuil", "Les Brosses", "La Métairie", "Le Champ", "La Vigne",
)  # fmt: skip
HAMLET_LAST = (
    "du Bas", "du Haut", "des Aulnes", "de la Fontaine", "des Ormes", "du Loup", "de l’Étang", "des Genêts", "de la Pierre",
    "des Noyers", "aux Moines", "du Gué", "des Pies", "du Chêne", "de la Garde",
)  # fmt: skip

STREETS = (
    "Rue de l’Église", "Rue du Lavoir", "Rue des Tilleuls", "Rue de la Fontaine", "Rue du Four", "Rue des Écoles", "Rue du Stade",
    "Rue de la Mairie", "Chemin des Vignes", "Rue du Château d’Eau", "Impasse des Lilas", "Rue des Jardins", "Rue du Puits",
    "Rue des Acacias", "Rue du Cimetière", "Rue de la Poste", "Chemin du Calvaire", "Rue des Noisetiers", "Rue du Pressoir",
    "Rue de l’Abreuvoir", "Rue des Remparts", "Rue des Tanneurs", "Rue de la Halle", "Rue du Marché aux Grains", "Rue des Cordiers",
    "Rue de la Prairie", "Rue des Bleuets", "Rue du Verger", "Rue des Érables", "Rue du Colombier", "Rue de la Gare",
    "Rue des Peupliers", "Rue du Ruisseau", "Rue de la Forge", "Rue des Charmes", "Rue du Levant", "Rue du Couchant",
    "Rue des Alouettes", "Rue de l’Aubépine", "Rue des Hirondelles", "Rue du Sabotier", "Rue de la Tannerie", "Rue des Bouleaux",
    "Rue du Rempart Nord", "Rue des Coquelicots", "Rue de la Plaine", "Rue des Cerisiers", "Rue du Moulin à Vent",
    "Rue de l’Hôpital", "Rue des Pinsons", "Rue des Mésanges", "Rue du Clos", "Rue de la Liberté", "Rue de l’Industrie",
    "Rue du Repos", "Rue des Platanes", "Rue des Sorbiers", "Rue de la Chaume", "Rue du Vallon", "Rue des Violettes",
)  # fmt: skip
