"""Voices: a recording of a text."""
