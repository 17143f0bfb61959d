"""Programs that tests start: other people's, and fadn in a process of its own."""
