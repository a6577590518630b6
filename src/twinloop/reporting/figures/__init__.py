"""Figures and tables as functions: data in, figure out. One module per part of the loop."""
