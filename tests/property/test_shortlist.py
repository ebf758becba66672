"""T4: the leaders of a topic, found a block of accounts at a time."""
