"""The exported encoder says what the published network says, without torch, and tells voices apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.dialogue.speech.recordings import joined, needs_flite, silence
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import RATE
from twinloop.dialogue.speech.speakers.encoder import RESEMBLYZER, SpeakerEncoder, similarity
from twinloop.dialogue.speech.speakers.export import export_speaker_encoder, tensors
from twinloop.dialogue.speech.speakers.windows import FRAMES, STEP, window_starts
from twinloop.errors import InputError, RunError
from twinloop.learning.weights import Places, find


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        find(RESEMBLYZER, Places())
    except RunError as reason:
        pytest.skip(str(reason))
    path = tmp_path_factory.mktemp("speakers") / "speaker.onnx"
    export_speaker_encoder(Places(), path)
    return path


def test_the_graph_says_what_the_network_says(graph: Path) -> None:
    weights = tensors(Places())
    lstm, linear = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)
    lstm.load_state_dict({name[5:]: value for name, value in weights.items() if name.startswith("lstm.")})
    linear.load_state_dict({name[7:]: value for name, value in weights.items() if name.startswith("linear.")})
    mels = np.abs(np.random.default_rng(2).normal(0, 0.1, (5, FRAMES, 40))).astype(np.float32)
    with torch.no_grad():
        _, (hidden, _) = lstm(torch.from_numpy(mels))
        expected = torch.nn.functional.normalize(torch.relu(linear(hidden[-1]))).numpy()
    from twinloop.learning.inference import open_graph

    np.testing.assert_allclose(open_graph(graph)({"mels": mels})[0], expected, atol=1e-5)


def test_the_same_weights_give_the_same_bytes(graph: Path, tmp_path: Path) -> None:
    export_speaker_encoder(Places(), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == graph.read_bytes()


@needs_flite
def test_voices_are_told_apart(graph: Path) -> None:
    encoder = SpeakerEncoder(graph)
    voice = open_provider("text_to_speech", "flite", {}, Surroundings())
    texts = ("the meeting begins on monday morning", "nobody remembered to order any coffee")
    ann, bob = ([encoder.encode(voice.speak(text, voice=name).audio) for text in texts] for name in ("slt", "rms"))
    own = min(similarity(*ann), similarity(*bob))
    others = max(similarity(one, other) for one in ann for other in bob)
    assert own > others + 0.1
    assert np.linalg.norm(ann[0]) == pytest.approx(1, abs=1e-6)


@needs_flite
def test_a_quiet_recording_with_pauses_is_of_the_same_voice(graph: Path) -> None:
    encoder = SpeakerEncoder(graph)
    audio = open_provider("text_to_speech", "flite", {}, Surroundings()).speak("Nobody remembered the coffee.").audio
    near, far = (Audio(level * audio.samples, RATE) for level in (0.1, 0.05))
    assert similarity(encoder.encode(near), encoder.encode(far)) > 0.98
    assert similarity(encoder.encode(near), encoder.encode(joined(silence(2), near, silence(2)))) > 0.9


def test_too_little_speech_is_refused(graph: Path) -> None:
    for audio in (silence(0), silence(5)):
        with pytest.raises(InputError, match=r"expected at least 0.3 s of speech, got 0.00 s"):
            SpeakerEncoder(graph).encode(audio)


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(0.3, [0]), (1.6, [0]), (2.4, [0, STEP]), (2.8, [0, STEP, 2 * STEP])],
)
def test_windows_overlap_by_half_and_cover_the_speech(seconds: float, starts: list[int]) -> None:
    assert window_starts(round(seconds * RATE)) == starts


def test_another_graph_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save_model

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in ("mels", "out")]
    graph = helper.make_graph([helper.make_node("Identity", ["mels"], ["out"])], "other", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    save_model(model, tmp_path / "a.onnx")
    with pytest.raises(InputError, match="export it again"):
        SpeakerEncoder(tmp_path / "a.onnx")


def test_speech_is_heard_spoken_and_compared_without_torch() -> None:
    modules = (
        "recognisers.whisper",
        "recognisers.pocketsphinx",
        "voices.flite",
        "speakers.encoder",
        "speakers.diarisation",
        "activity",
    )
    lines = [f"import twinloop.dialogue.speech.{module}" for module in (*modules, "commands.recogniser", "errors")]
    code = "\n".join(["import sys", *lines, "print([n for n in ('torch', 'transformers') if n in sys.modules])"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
