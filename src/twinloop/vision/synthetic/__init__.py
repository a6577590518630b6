"""Rendered surfaces with pixel-exact defects: textures, flaws, and how a camera sees them."""
