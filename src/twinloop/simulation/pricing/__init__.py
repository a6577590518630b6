"""What a model that somebody has already is worth on a line: its scores read, its errors measured, then simulated."""
