"""The command line's tools, one module each: a docstring, EXAMPLE, `arguments(parser)` and `run(options, root)`."""
