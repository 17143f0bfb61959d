"""Samples to compressed bytes and back: the only door to imagecodecs. `raw` alone calls it."""
