"""The factory's own tools, one module each: `python -m twinloop factory TOOL`, or TOOL alone."""
