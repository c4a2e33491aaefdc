"""Telling people: an outbox that is written with what it tells about, and a sender that empties it."""
