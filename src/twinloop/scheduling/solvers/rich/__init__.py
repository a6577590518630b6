"""Compiled schedule generation for shops with everything they can have: tables, placing, schemes, values."""
