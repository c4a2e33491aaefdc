"""Pages for people: rendered here, without script where it can be, in French or English."""
