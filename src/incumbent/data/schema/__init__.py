"""What rows must look like: the schema of a model and the check against it."""
