"""Answers from documents: sentences of theirs, each cited, or none where nothing found answers the question."""
