"""The person's own tools, one module each: `python -m twinloop person TOOL`, or TOOL alone."""
