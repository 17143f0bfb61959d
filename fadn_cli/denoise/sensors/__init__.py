"""A mosaic in, the planes of its colours out, and back; a module per colour filter array."""
