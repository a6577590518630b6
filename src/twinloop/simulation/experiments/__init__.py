"""Scenarios, replications and their statistics: intervals, paired comparison, levers, the answer."""
