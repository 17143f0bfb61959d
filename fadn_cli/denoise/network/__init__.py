"""Which network, and a tile through it: the only door to onnxruntime. `denoise.frame` calls it."""
