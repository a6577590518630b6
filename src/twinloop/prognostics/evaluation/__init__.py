"""Predictions judged against the failures that came."""
