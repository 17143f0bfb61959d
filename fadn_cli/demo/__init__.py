"""A drawn scene in, a noisy raw, its denoised twin and a picture of both out. `cli` calls `run`."""
