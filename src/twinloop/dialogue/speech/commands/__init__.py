"""Spoken commands: one of a few words, by a small network that is trained here."""
