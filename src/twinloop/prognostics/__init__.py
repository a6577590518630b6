"""Foresee: from telemetry to the failures that may come, how sure that is, and what was right about it."""
