"""Incumbent."""
