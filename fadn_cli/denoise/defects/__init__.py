"""Samples that the sensor gets wrong, found or known, and repaired. `pipeline` calls it."""
