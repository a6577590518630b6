"""Networks of a conversation as graphs that ONNX Runtime runs: no torch where only inference runs."""
