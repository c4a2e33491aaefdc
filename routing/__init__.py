"""Roads and travel times. Knows no people; imports neither dispatch nor api."""
