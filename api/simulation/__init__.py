"""A month of a platform, played through HTTP on a clock of its own: what would happen with more demand, or with more volunteers."""
