"""Fictional persons: documents, messages, a calendar, meetings and questions whose answers are known."""
