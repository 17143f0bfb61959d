"""Mosaics of every kind of sensor."""

XTRANS_CELL = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"
"""The 36 colours of an X-Trans cell, row by row, in the phase that networks see."""
