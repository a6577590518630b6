"""What hears, encodes, writes, speaks and keeps: protocols, the providers that fulfil them, and how they fail."""
