"""HTTP only: the `/v1` API over dispatch."""
