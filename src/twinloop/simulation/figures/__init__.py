"""How lines and results look in a notebook."""
