"""laurel: influence scores from streams of engagements, on Kafka."""
