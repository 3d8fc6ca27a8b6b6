"""What the adapters for boosted trees share."""
