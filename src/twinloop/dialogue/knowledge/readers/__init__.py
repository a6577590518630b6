"""Documents of several kinds as pages of plain text: one module per kind, one entry per kind in `reading`."""
