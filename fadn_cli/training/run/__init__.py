"""How it is trained: a config in, a run's folder out; `train` is the command."""
