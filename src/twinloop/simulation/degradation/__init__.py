"""Wear drawn as paths, and what it drives: sensors, lives, and the risks counted from them."""
