"""A mosaic in, an RGB picture out, as LibRaw develops it. `pipeline` and `compare` call it."""
