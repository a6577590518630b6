"""The detector judged: calibration, operating curve, thresholds, figures with intervals, explanations."""
