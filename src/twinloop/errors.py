"""The project's own error types: one clear line for the user, an exit status for the shell.

A message says what was expected, what came, where, and what to do next. Anything else that
escapes a stage is a bug and keeps its traceback.
"""


class TwinloopError(Exception):
    """Base of every error that is shown as one line."""

    exit_code = 1


class InputError(TwinloopError):
    """What the user gave (configuration, data, command line) cannot be used. Exit status 2."""

    exit_code = 2


class RunError(TwinloopError):
    """A run had to stop although its input was well formed. Exit status 1."""
