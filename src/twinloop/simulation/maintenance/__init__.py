"""Maintenance policies: when each acts in a life, predictors from their contracts, and all compared with an oracle."""
