"""People, days and decisions. Knows no HTTP; roads only through `service` and `engine`."""
