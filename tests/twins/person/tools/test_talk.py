"""`talk` answers texts and recordings with where it stands; what cannot be heard, had or said is one line."""

import io
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.twins.person.selves import Parrot, small_self
from twinloop import cli
from twinloop.dialogue.models.minilm import MINILM
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import read_audio, write_audio
from twinloop.errors import LONGEST
from twinloop.learning import weights
from twinloop.twins.person import paths

WARRANTY = "When does the warranty on the pump end?"
TONE = Audio(0.2 * np.sin(np.arange(8000) * 2 * math.pi * 220 / 16_000).astype(np.float32), 16_000)
ANSWER = "“The warranty on the pump ends on 3 March 2027.” [contract.txt, page 1]"
FLITE = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


def records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("own")
def test_a_text_is_answered_with_its_source_and_what_each_part_took(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", WARRANTY]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("answer     ")
    assert ANSWER in line
    assert " · answered 0." in line
    assert "found 0." in line


@pytest.mark.usefixtures("own")
def test_every_argument_is_a_turn_and_json_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        cli.main(["talk", "What did the oven in April cost?", "and in May?", "Who discovered penicillin?", "--json"])
        == 0
    )
    april, may, nothing = records(capsys)
    assert may["heard"] == "and in May?"
    assert "350 euros" in str(may["answer"])
    assert april["citations"] == ["oven.txt, page 1, characters 0 to 33"]
    assert [turn["refused"] for turn in (april, may, nothing)] == [False, False, True]
    assert nothing["reason"] == "My documents do not say."
    assert set(april["milliseconds"]) == {"find", "answer"}  # type: ignore[call-overload]


@pytest.mark.usefixtures("own")
def test_a_text_of_any_length_that_ends_like_a_recording_is_a_turn(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", f"What is {'in ' * 100}my song.wav", "Is it louder\nthan in song.wav", "--json"]) == 0
    assert [turn["refused"] for turn in records(capsys)] == [True, True]


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("text", ["{} question.wav", "When?\n {}/question.wav", "{}/question.wav\nWhen?"])
def test_a_recording_among_the_lines_of_a_text_is_not_passed_over(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_audio(tmp_path / "question.wav", TONE)
    asked = text.format(tmp_path)
    expected = 2 if "\n" in asked else 0
    assert cli.main(["talk", asked]) == expected
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "talk: " in line] == (
        [f"talk: {tmp_path}/question.wav: a file of sound among the lines of a text: give each turn by itself"]
        if expected
        else []
    )


@pytest.mark.usefixtures("own")
def test_a_completed_question_is_shown_as_it_was_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", "What did the oven in April cost?", "and in May?"]) == 0
    assert "understood What did the oven in May cost?" in capsys.readouterr().out


@pytest.mark.usefixtures("own")
def test_sliders_move_the_wording(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = [option for name in ("enthusiasm", "verbosity", "humour") for option in (f"--{name}", "0")]
    assert cli.main(["talk", WARRANTY, *quiet, "--json"]) == 0
    assert cli.main(["talk", WARRANTY, *quiet, "--enthusiasm", "1", "--json"]) == 0
    dry, thrilled = records(capsys)
    assert "!" not in str(dry["answer"])
    assert "!" in str(thrilled["answer"])
    assert dry["citations"] == thrilled["citations"]


@pytest.mark.usefixtures("own")
def test_without_arguments_lines_are_answered_until_one_is_empty(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.stdin", io.StringIO(f"{WARRANTY}\ngone.wav\nno\0thing.wav\nWho painted the boat?\n\nnot read\n")
    )
    assert cli.main(["talk"]) == 0
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == ["answer", "answer"]
    assert "Carla" in told.out
    assert "recording gone.wav: cannot be read" in told.err


@pytest.fixture
def hearing(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A self with ears and a voice, and a recording beside it."""
    Parrot.install(monkeypatch, hears="when does the warranty on the pump end")
    small_self(project / paths.SELF, speech_to_text="parrot", text_to_speech="parrot")
    write_audio(project / "question.wav", TONE)
    return project


@pytest.mark.parametrize(
    ("place", "status", "reason"),
    [
        ("made.wav", 2, "it is a folder"),
        ("question.wav/reply.wav", 2, "question.wav is no folder"),
        (f"{'a' * 300}.wav", 2, "File name too long"),
        ("/proc/reply.wav", 1, "cannot be written"),
    ],
)
def test_a_place_that_holds_no_reply_is_one_line(
    place: str, status: int, reason: str, hearing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (hearing / "made.wav").mkdir()
    assert cli.main(["talk", WARRANTY, "--say", place]) == status
    told = capsys.readouterr()
    assert reason in told.err
    assert len(told.err.splitlines()) == 1
    assert (ANSWER in told.out) == (status == 1)


def test_a_recording_is_heard_and_the_reply_written(hearing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", "question.wav", WARRANTY, "--say", "reply.wav"]) == 0
    told = capsys.readouterr()
    heard, answer, again = told.out.splitlines()
    assert heard == "heard      when does the warranty on the pump end"
    assert ANSWER in answer
    assert [part in answer for part in ("heard 0.", "found 0.", "answered 0.", "said 0.")] == [True] * 4
    assert "wrote      reply.wav" in told.err
    assert cli.main(["talk", "question.wav", WARRANTY, "--say", "reply.wav", "--json"]) == 0
    words = sum(len(str(turn["answer"]).split()) for turn in records(capsys))
    assert ANSWER in again
    assert read_audio(hearing / "reply.wav").audio.seconds == pytest.approx(0.1 * words)


@FLITE
def test_speech_of_this_machine_is_heard_and_answered(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_self(project / paths.SELF, speech_to_text="pocketsphinx", text_to_speech="flite")
    subprocess.run(["flite", "-voice", "slt", "-t", "who painted the boat", "-o", "question.wav"], check=True)
    assert cli.main(["talk", "question.wav", "--say", "reply.wav", "--json"]) == 0
    (turn,) = records(capsys)
    assert "painted" in str(turn["heard"])
    assert set(turn["milliseconds"]) == {"hear", "find", "answer", "speak"}  # type: ignore[call-overload]
    assert read_audio(project / "reply.wav").audio.seconds > 1


def sound(path: Path, samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> None:  # type: ignore[type-arg]
    soundfile.write(path, samples, rate, subtype=subtype)


@pytest.mark.parametrize(
    ("kind", "remark"),
    [
        ("silent", "silent: nothing can be heard"),
        ("clipped", "clipped: "),
        ("8 kHz", "8000 samples per second"),
        ("stereo", ""),
        ("24 bit", ""),
        ("cut off", "cut off after "),
    ],
)
def test_recordings_with_faults_are_heard_and_the_fault_is_told(
    hearing: Path, kind: str, remark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, tone = hearing / "faulty.wav", np.asarray(TONE.samples)
    if kind == "silent":
        sound(path, np.zeros(16_000))
    elif kind == "clipped":
        sound(path, np.clip(tone * 50, -1, 1))
    elif kind == "8 kHz":
        sound(path, tone, 8000)
    elif kind == "stereo":
        sound(path, np.stack([tone, tone], axis=1))
    elif kind == "24 bit":
        sound(path, tone, subtype="PCM_24")
    else:
        sound(path, tone)
        path.write_bytes(path.read_bytes()[:9000])
    assert cli.main(["talk", "faulty.wav"]) == 0
    told = capsys.readouterr()
    assert ANSWER in told.out
    assert remark in told.err
    assert bool(told.err) == bool(remark)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "recording faulty.wav: expected sound, the file is empty: record it again"),
        (b"just words, no sound", "recording faulty.wav: expected WAV, FLAC, OGG or MP3, got a text"),
        (b"%PDF-1.7\n%\xe2\xe3", "recording faulty.wav: expected WAV, FLAC, OGG or MP3, got"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "recording faulty.wav: "),
        (None, "recording faulty.wav: cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_heard_is_one_line(
    hearing: Path, content: bytes | None, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (hearing / "faulty.wav").write_bytes(content)
    assert cli.main(["talk", "faulty.wav"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith(line)


def test_a_recording_longer_than_two_hours_is_refused(hearing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound(hearing / "day.wav", np.zeros(4000 * 7201, np.int16), 4000)
    assert cli.main(["talk", "day.wav"]) == 2
    assert "expected at most 7200 s, it lasts 7201 s" in capsys.readouterr().err


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["x", "--formality", "1.2"], "talk: --formality = 1.2: expected a number ≤ 1"),
        (["x", "--humour", "nan"], "talk: --humour = nan: expected"),
        (["x", "--say", "reply.txt"], "talk: --say reply.txt: expected a file name that ends in .wav"),
        (["x", "--traces", "-1"], "talk: --traces -1: expected 0 or every how many turns"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith(line)
    assert len(told.splitlines()) == 1


@pytest.mark.usefixtures("project")
def test_before_the_loop_the_command_to_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", WARRANTY]) == 2
    assert "there is none: run `python -m twinloop repro person`" in capsys.readouterr().err


def test_without_documents_it_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_self(project / paths.SELF, {})
    assert cli.main(["talk", WARRANTY, "--json"]) == 0
    (turn,) = records(capsys)
    assert turn["refused"]
    assert turn["reason"] == "I have no documents yet, so I cannot answer."
    assert turn["answer"] == turn["reason"]
    assert cli.main(["talk", WARRANTY]) == 0
    assert "`person knowledge add` takes them in" in capsys.readouterr().err


@pytest.mark.usefixtures("own")
def test_questions_of_ten_thousand_words_and_in_another_script_are_turns(capsys: pytest.CaptureFixture[str]) -> None:
    long = " ".join([WARRANTY, *["pump"] * 10_000])
    assert cli.main(["talk", long, "ポンプの保証はいつ終わりますか。", "Когда заканчивается гарантия?", WARRANTY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 1000
    assert sum(line.startswith("refused") for line in lines) == 2
    assert ANSWER in lines[-1]


@pytest.mark.usefixtures("own")
def test_the_eleventh_message_is_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", "What did the oven in April cost?", *["ok"] * 5, "and in May?"]) == 0
    assert "Please ask it in full" in capsys.readouterr().out.splitlines()[-1]


def test_a_provider_that_fails_ends_its_turn_alone(
    hearing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Parrot, "fails", 1)
    assert cli.main(["talk", "question.wav", "question.wav"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "Please try again" in lines[1]
    assert lines[2] == "failed     hear: parrot: no answer within 5 s"
    assert ANSWER in lines[-1]


def test_a_voice_that_fails_leaves_the_answer(
    hearing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Parrot, "fails", 1)
    assert cli.main(["talk", WARRANTY, "--say", "reply.wav"]) == 1
    told = capsys.readouterr()
    assert ANSWER in told.out
    assert "failed     speak: parrot: no answer within 5 s" in told.out
    assert "reply.wav: not written" in told.err
    assert not (hearing / "reply.wav").exists()


@pytest.fixture
def meaning(own: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A self that says that it finds by MiniLM, in a world where no package and no cache has its weights."""
    described = json.loads((own / "self.json").read_text())
    described["providers"]["encoder"] = {"name": "minilm", "settings": {}, "folder": "weights"}
    (own / "self.json").write_text(json.dumps(described))
    monkeypatch.setattr(weights, "_package_folder", lambda _: None)
    monkeypatch.setenv("HF_HUB_CACHE", str(own / "no cache"))
    return own


@pytest.mark.usefixtures("meaning")
def test_a_missing_wheel_is_one_line_that_names_the_floor(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["talk", WARRANTY]) == 1
    told = capsys.readouterr().err
    assert "weights: all-MiniLM-L6-v2: weights: no model.safetensors" in told
    assert "person/providers=embedded" in told
    assert len(told.splitlines()) == 1
    assert len(told) <= LONGEST + 1


def test_a_weight_file_with_a_flipped_byte_is_one_line(
    meaning: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "weights").mkdir()
    for name in MINILM.files:
        (project / "weights" / name).write_bytes(b"another byte")
    assert cli.main(["talk", WARRANTY]) == 1
    told = capsys.readouterr().err
    assert "model.safetensors is not what was published" in told
    assert "person/providers=embedded" in told
    assert len(told.splitlines()) == 1


def test_a_self_that_was_altered_is_one_line(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described = json.loads((own / "self.json").read_text())
    described["persona"]["humour"] = 3
    (own / "self.json").write_text(json.dumps(described))
    assert cli.main(["talk", WARRANTY]) == 2
    assert "humour = 3: expected a number ≤ 1: run the export stage again" in capsys.readouterr().err


@pytest.mark.usefixtures("own")
def test_answering_a_text_imports_no_torch_and_no_mlflow() -> None:
    code = (
        "import sys\nfrom twinloop import cli\n"
        f"cli.main(['talk', {WARRANTY!r}])\n"
        "print([name for name in ('torch', 'mlflow', 'ctranslate2', 'soundfile') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_sample_of_turns_is_traced_with_a_span_for_each_part(
    own: Path, project: Path, empty_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from twinloop.tracking.store import FILE, FOLDER, open_store

    (project / FOLDER).mkdir(parents=True)
    for file in (empty_store, empty_store.with_suffix(".mlflow-version")):
        shutil.copy2(file, project / FOLDER)
    assert empty_store.name == FILE
    asked = [WARRANTY, "Who painted the boat?", "Who discovered penicillin?", "Where does it lie?"]
    assert cli.main(["talk", *asked, "--traces", "2"]) == 0
    store = open_store(None, project)
    traces = store.client.search_traces(locations=[store.experiment("person")])
    assert len(traces) == 2, "every second turn"
    spans = {span.name: span for span in traces[-1].data.spans}
    assert set(spans) == {"turn", "find", "answer"}
    assert spans["turn"].inputs["heard"] == "Who painted the boat?"
    assert "boat.txt, page 1" in spans["answer"].outputs["citations"][0]
    assert spans["find"].end_time_ns == spans["answer"].start_time_ns
