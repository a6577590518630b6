"""Anything run many times with luck of its own: random streams, intervals, comparisons. Knows no line and no shop."""
