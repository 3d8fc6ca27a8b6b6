"""Follow a recipe to its end: fit, interpolate, average, combine."""
