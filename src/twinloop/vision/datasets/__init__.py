"""Where inspected surfaces come from: rendered ones, known collections, a user's own folders and archives."""
