"""Recognisers of speech: what was said in a recording."""
