"""Roads and travel times. Knows no people; imports neither dispatch nor api."""

from pathlib import Path

from routing.kernels import forget_stale

forget_stale(Path(__file__).parent)
