"""Many photographs: paths and patterns in, a plan, then what became of each out; `cli` calls it."""
