"""Make a person's folder by five questions: who, documents, voice, sliders, calendar.

Each answer is kept at once: who stops and comes back goes on where they were. --from takes the answers from a file of
YAML or JSON with the keys who, documents, voice, sliders, calendar, and zone and messages where wanted.
"""

import argparse
from pathlib import Path

from twinloop.errors import InputError, RunError
from twinloop.progress import say
from twinloop.twins.person.twin import TWIN

EXAMPLE = "python -m twinloop person init --from bea.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE", help="the answers, in YAML or JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Ask, or read; tells what to type next. Raises InputError for a file that does not fit, RunError at its end."""
    from twinloop.twins.person.people.folders import loop_command
    from twinloop.twins.person.people.introduction import from_file, going_on

    if options.file is not None:
        one = from_file(root, options.file)
    else:
        introduction = going_on(root)
        if introduction.person is not None:
            say(f"going on with {introduction.person.name}")
        while (question := introduction.question) is not None:
            try:
                introduction.answer(input(f"{question} "))
            except InputError as error:
                say(TWIN.in_params(str(error)))
            except EOFError:
                raise RunError(f"init: stopped before {question!r}: `person init` goes on from here") from None
        assert introduction.person is not None
        one = introduction.person
    print(f"made       {one.folder.relative_to(root)}")
    say(f'ask it     python -m twinloop talk --person {one.name} "…"')
    say(f"the loop   {loop_command(one)} && make repro TWIN=person")
    return 0
