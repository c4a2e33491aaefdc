"""What runs: rounds, the solving process, the bus that wakes them."""
