"""What a command line says of a file of orders beside its name: one set of options for every tool that takes one."""

import argparse
from pathlib import Path

from twinloop.progress import say
from twinloop.scheduling.files.reading import Reading


def file_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what a file may leave open."""
    parser.add_argument("--start", metavar="DATE", help="when minute 0 is, like 2026-12-01T06:00+01:00")
    parser.add_argument("--zone", help="in which local dates are read and shown, like Europe/Berlin")
    parser.add_argument("--kind", help="of a text instance that fits two formats, like 'job shop'")
    parser.add_argument("--first-machine", type=int, choices=(0, 1), help="whether an instance counts machines from 1")


def read_asked(path: Path, options: argparse.Namespace) -> Reading:
    """The shop that the options ask for. Raises InputError."""
    from twinloop.scheduling.files.problem import read_problem

    return read_problem(
        path, kind=options.kind, first_machine=options.first_machine, start=options.start, zone=options.zone
    )


def say_read(path: Path, reading: Reading) -> None:
    """Say what a file was taken for."""
    say(f"read       {path.name}: {reading.head}")
    for note in reading.notes:
        say(f"             {note}")
