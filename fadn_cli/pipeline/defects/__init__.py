"""What the file or the user calls bad in, a mosaic without it out; `pipeline.file` calls it."""
