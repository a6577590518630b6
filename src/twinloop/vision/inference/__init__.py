"""The detector at work: an image in, a typed finding out. No torch unless the PyTorch backend is asked for."""
