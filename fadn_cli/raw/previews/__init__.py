"""A mosaic in, the pictures that a DNG shows undeveloped out. `raw.dng` calls it."""
