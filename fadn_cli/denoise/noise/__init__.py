"""Planes in, their noise out, and the units that it gives. `denoise` and `pipeline` call it."""
