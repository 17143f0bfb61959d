"""What ships: finished runs in, weights/ out; `weights` is the command."""
