"""The fleet's own tools, one module each: `python -m twinloop fleet TOOL`, or TOOL alone."""
