"""What happened: the event log in columns, typed events for subscribers, and what is computed from the log alone."""
