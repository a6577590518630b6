"""The stub's own tool."""
