"""Any raw file in, its mosaic and what it says of itself out; `pipeline` calls `reader`."""
