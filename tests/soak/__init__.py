"""Days of engagements sent while workers and the broker are killed, stopped, lost and replaced; then all held against the oracle."""
