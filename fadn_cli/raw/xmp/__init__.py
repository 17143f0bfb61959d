"""XMP packets in, one laid over another out. `raw.dng`, `pipeline` and `batch` call it."""
