"""A DNG in, what is wrong with it out; or two, and how they differ. `pipeline`, `cli` call it."""
