"""Rows at hand: keys, lazy rows, tensors, quality and splits."""
