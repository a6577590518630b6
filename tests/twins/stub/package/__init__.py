"""The stub twin: a coin, and what betting on it earns."""
