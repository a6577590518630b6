"""Speakers: whether two recordings are of one person."""
