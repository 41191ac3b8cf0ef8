"""What the examples count to: tokens, the most that the service can count, epochs and price."""
