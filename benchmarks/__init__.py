"""Programs that measure; README.md says how, and holds the figures."""
