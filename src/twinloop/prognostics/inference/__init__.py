"""Models at work: intervals, risk tables, diagnoses with their reasons, exported graphs."""
