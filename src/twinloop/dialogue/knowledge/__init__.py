"""What a person knows: documents read page by page, cut into chunks, and found again by words and by meaning."""
