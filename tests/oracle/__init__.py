"""What laurel must publish, computed a second time in SQL from the raw engagements; shares no code with the product."""
