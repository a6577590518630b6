"""Tell who speaks when in a recording of several people, such as a meeting."""

import argparse
import json
from pathlib import Path

from twinloop.progress import say

EXAMPLE = "python -m twinloop person speakers data/person/dataset/recordings/meeting_00.wav --people 4"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("recording", type=Path, help="WAV, FLAC, OGG or MP3")
    parser.add_argument("--people", type=int, required=True, help="how many there are: so many are told apart")
    parser.add_argument("--json", action="store_true", help="print turns as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print a row for each turn; speakers are numbered as they come in.

    Raises InputError for a recording that cannot be used, and where the person's self tells no voices apart.
    """
    from twinloop.dialogue.speech.audio import read_audio
    from twinloop.dialogue.speech.speakers.diarisation import who_speaks
    from twinloop.errors import InputError
    from twinloop.reporting.tables import Table
    from twinloop.twins.person import paths
    from twinloop.twins.person.chain import open_speakers

    encoder = open_speakers(root / paths.SELF)
    if encoder is None:
        raise InputError(
            f"speakers: {paths.SELF}: tells no voices apart: choose person.providers.speakers=trained and run "
            "`make repro TWIN=person` where flite or espeak-ng is installed"
        )
    recording = read_audio(options.recording)
    for remark in recording.remarks:
        say(f"remark     {options.recording.name}: {remark}")
    turns = who_speaks(encoder, recording.audio, speakers=options.people)
    if options.json:
        print(json.dumps([turn._asdict() for turn in turns]))
        return 0
    rows = [(f"{turn.start_s:.1f}", f"{turn.end_s:.1f}", turn.speaker) for turn in turns]
    print(Table.of(("from s", "to s", "speaker"), rows))
    return 0
