"""Wear drawn as paths, and what it drives: sensors, signals, and alerts judged against the failures that came."""
