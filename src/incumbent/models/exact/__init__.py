"""A head that is solved exactly on frozen features."""
