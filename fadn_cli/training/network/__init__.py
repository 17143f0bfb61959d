"""What is trained: the network, its rounding to 8 bits, and its graph as ONNX."""
