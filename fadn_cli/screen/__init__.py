"""Plain values in, text on the terminal out: the only door to rich. `cli` calls it."""
