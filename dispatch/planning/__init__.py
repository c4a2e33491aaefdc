"""The performance-critical core: arrays in, plan out. No database, no clock of the world, no roads, no names."""
