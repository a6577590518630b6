"""Recordings by speaker: of synthetic voices and, where there are any, of people. Who is judged on taught nothing."""

from concurrent.futures import ThreadPoolExecutor

from twinloop.dialogue.speech.speakers.windows import Voiced
from twinloop.twins.person.data.known import Known, sentences_of
from twinloop.twins.person.data.voices import Side, Voices


def recordings_by_speaker(
    known: Known, voices: Voices, side: Side, *, most: int, each: int, workers: int
) -> list[Voiced]:
    """Several recordings of every speaker of a side.

    most: synthetic voices; each: recordings of one of them. Of people, all that is there of those with two or more.
    """
    return [*people(known, side), *spoken_texts(known, voices, side, most=most, each=each, workers=workers)]


def people(known: Known, side: Side) -> list[Voiced]:
    """What people recorded: speakers of the test split are judged on, all others learnt from."""
    made = set(known.spoken["recording"])
    rows = [
        (name, speaker)
        for name, speaker, split in known.corpus.recordings.select("recording", "speaker", "split").rows()
        if speaker and name not in made and (split == "test") == (side == "test")
    ]
    counts = {speaker: sum(one == speaker for _, one in rows) for _, speaker in rows}
    return [Voiced(known.audio(name), speaker) for name, speaker in rows if counts[speaker] > 1]


def spoken_texts(known: Known, voices: Voices, side: Side, *, most: int, each: int, workers: int) -> list[Voiced]:
    """What synthetic voices say of the questions of that split, or of the documents where nobody asks anything."""
    texts = [one.text for one in known.asked(side)] or sentences_of(known)
    speakers = list(voices.speakers(side).items())[:most] if texts else []
    # In one accent after the other: that is not who somebody is.
    said = [
        (texts[(place * each + turn) % len(texts)], own[turn % len(own)], speaker)
        for place, (speaker, own) in enumerate(speakers)
        for turn in range(each)
    ]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda one: Voiced(voices.speak(one[0], one[1]).audio, one[2]), said))
