"""The nouns of the field, frozen, and their state tables. Imports no other room."""
