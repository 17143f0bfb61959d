"""This machine in; what keeps fadn from working here, and how fast it is, out. `cli` calls it."""
