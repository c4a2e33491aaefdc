"""Tests of routing.basemap."""
