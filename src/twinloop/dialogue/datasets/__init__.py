"""What persons have: documents, messages, calendars, meetings, recordings, read from many layouts into one record."""
