"""Open model files: what is in them, whether that may run, and the stored form of our own."""
