"""The performance-critical core: arrays in, plan out. No database, no clock of the world, no roads, no names."""

from pathlib import Path

from routing.kernels import forget_stale

forget_stale(Path(__file__).parent)
