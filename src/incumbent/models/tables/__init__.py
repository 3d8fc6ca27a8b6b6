"""Adapters for scikit-learn."""
