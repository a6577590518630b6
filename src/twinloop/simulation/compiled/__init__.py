"""The compiled engine: the same lines, streams and rows as the SimPy engine, as machine code."""
