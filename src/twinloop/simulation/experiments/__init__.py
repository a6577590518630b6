"""Scenarios, replications and their statistics: intervals, comparison, selection, levers, optimisation, the answer."""
