"""Models of this machine that transformers runs, by a folder or the hub's name."""
