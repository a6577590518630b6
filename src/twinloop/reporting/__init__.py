"""Figures, tables, executed notebooks and pages: how results are shown. Nothing here decides or computes a result."""
