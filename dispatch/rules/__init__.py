"""Law and policy as dated parameters. Pure: no storage, no clock of its own."""
