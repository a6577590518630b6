"""Models of this machine, tiny and drawn at random: opened from a folder, asked, and refused where they are none."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twinloop.config import parse
from twinloop.dialogue.providers.protocols import (
    Audio,
    Encoder,
    LanguageModel,
    Message,
    ProviderError,
    SpeechToText,
    TextToSpeech,
)
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import LONGEST, InputError, RunError
from twinloop.learning.weights import Places

TEXT = "[PAD] [UNK] [CLS] [SEP] the oven runs hot at noon press is cold user assistant : ?"
WORDS = TEXT.split()
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"etaonihsrdlumwcfgypbvk"]
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
TONE = Audio(0.3 * np.sin(np.arange(32_000) * 2 * math.pi * 150 / 16_000).astype(np.float32), 16_000)
ENERGY = {"activity": {"detector": "energy"}}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one model for every role."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from transformers import (
        BertConfig,
        BertModel,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
        VitsConfig,
        VitsModel,
        VitsTokenizer,
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(1)
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", eos_token="[SEP]"
    )
    for name, model in {
        "encoder": BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **SMALL)),
        "writer": LlamaForCausalLM(LlamaConfig(vocab_size=len(WORDS), max_position_embeddings=128, **SMALL)),
    }.items():
        model.save_pretrained(folder / name)
        fast.save_pretrained(folder / name)
    (folder / "letters.json").write_text(json.dumps({letter: place for place, letter in enumerate(LETTERS)}))
    hearing = Wav2Vec2Config(
        vocab_size=len(LETTERS), conv_dim=(8, 8), conv_stride=(10, 8), conv_kernel=(10, 8), num_feat_extract_layers=2,
        num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, **SMALL,
    )  # fmt: skip
    Wav2Vec2ForCTC(hearing).save_pretrained(folder / "ears")
    Wav2Vec2Processor(
        feature_extractor=Wav2Vec2FeatureExtractor(), tokenizer=Wav2Vec2CTCTokenizer(folder / "letters.json")
    ).save_pretrained(folder / "ears")
    speaking = VitsConfig(
        vocab_size=len(LETTERS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16, flow_size=16,
        spectrogram_bins=9, prior_encoder_num_flows=1, posterior_encoder_num_wavenet_layers=1,
        prior_encoder_num_wavenet_layers=1, upsample_initial_channel=32, upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]],
        duration_predictor_num_flows=1, duration_predictor_filter_channels=16, depth_separable_num_layers=1,
    )  # fmt: skip
    VitsModel(speaking).save_pretrained(folder / "voice")
    VitsTokenizer(folder / "letters.json", phonemize=False, is_uroman=False).save_pretrained(folder / "voice")
    return folder


def opened(role: Any, model: Path | str, places: Places | None = None, **values: Any) -> Any:
    return open_provider(role, "local", {"model": str(model), **values}, Surroundings(places or Places()))


def test_an_encoder_gives_unit_vectors_that_no_neighbour_changes(models: Path) -> None:
    encoder: Encoder = opened("encoder", models / "encoder", tokens=16)
    texts = ["the oven runs hot", "the press is cold", "the " * 100]
    together = encoder.encode(texts)
    assert together.vectors.shape == (3, 16) == (3, encoder.dimensions)
    assert np.linalg.norm(together.vectors, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert np.array_equal(together.vectors[1], encoder.encode(texts[1:2]).vectors[0])
    assert together.usage.tokens == 4 + 4 + 16
    assert together.usage.seconds > 0
    first: Encoder = opened("encoder", models / "encoder", tokens=16, pooling="first")
    assert not np.allclose(first.encode(texts).vectors, together.vectors)


def test_the_digest_is_that_of_the_files_and_of_how_they_are_used(models: Path, tmp_path: Path) -> None:
    import shutil

    def digest(folder: Path, **values: Any) -> str:
        encoder: Encoder = opened("encoder", folder, **values)
        return encoder.digest

    copy = tmp_path / "copy"
    shutil.copytree(models / "encoder", copy)
    before = digest(copy)
    assert before == digest(models / "encoder")
    assert before != digest(copy, tokens=32)
    assert before != digest(copy, pooling="first")
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert digest(copy) != before


def test_a_language_model_writes_the_same_for_the_same_messages(models: Path) -> None:
    model: LanguageModel = opened("language_model", models / "writer")
    messages = [Message("system", "the oven is hot"), Message("user", "is the press cold ?")]
    one, two = (model.complete(messages, most_tokens=6) for _ in range(2))
    assert one.text == two.text
    assert one.cut_off is (one.usage.tokens - 18 == 6)
    assert 0 < one.usage.tokens - 18 <= 6
    assert len(model.complete([Message("user", "the oven " * 500)], most_tokens=4).text.split()) <= 4


def test_a_recogniser_hears_letters_and_nothing_in_silence(models: Path) -> None:
    ears: SpeechToText = opened("speech_to_text", models / "ears", **ENERGY)
    heard = ears.transcribe(TONE)
    assert heard.usage.audio_seconds == pytest.approx(2.0)
    assert heard.text == ears.transcribe(TONE).text
    assert set(heard.text.lower()) <= set("".join(LETTERS)) | {" "}
    silence = Audio(np.zeros(16_000, np.float32), 16_000)
    assert ears.transcribe(silence).text == ""
    long = Audio(np.tile(np.concatenate([TONE.samples, np.zeros(8000, np.float32)]), 16), 16_000)
    assert ears.transcribe(long).usage.audio_seconds == pytest.approx(40.0)


def test_a_voice_says_the_same_text_the_same_way(models: Path) -> None:
    voice: TextToSpeech = opened("text_to_speech", models / "voice")
    one, two = voice.speak("the oven is hot"), voice.speak("the oven is hot")
    assert one.audio.rate == 16_000
    assert len(one.audio.samples) > 0
    assert np.array_equal(one.audio.samples, two.audio.samples)
    assert np.abs(one.audio.samples).max() <= 1
    with pytest.raises(InputError, match="at least one word"):
        voice.speak("…")
    with pytest.raises(InputError, match="the model is the voice"):
        voice.speak("the oven", voice="slt")


def test_a_model_that_fails_ends_a_turn(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened("language_model", models / "writer")

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory\nin two lines")

    monkeypatch.setattr(model._model, "generate", broken)
    with pytest.raises(ProviderError, match="out of memory in two lines"):
        model.complete([Message("user", "the oven")])


ROLES = {"speech_to_text": "ears", "text_to_speech": "voice", "encoder": "encoder", "language_model": "writer"}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_no_model_is_one_line(models: Path, tmp_path: Path, role: str) -> None:
    places = Places(hub_cache=tmp_path / "cache")
    (tmp_path / "empty").mkdir()
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text((models / ROLES[role] / "config.json").read_text())
    (pickled / "pytorch_model.bin").write_bytes(b"a pickle")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    (broken / "model.safetensors").write_bytes(b"no tensors")
    expected = {
        tmp_path / "empty": (InputError, "expected config.json and .safetensors"),
        pickled: (InputError, "expected config.json and .safetensors"),
        broken: (InputError, "cannot be opened"),
        "nobody/nothing": (RunError, "nobody/nothing: not in the hub's cache: set download to true, or name a folder"),
        "no such folder/at all/here": (InputError, "is no folder, and no name of the hub"),
    }
    for model, (kind, told) in expected.items():
        with pytest.raises(kind) as caught:
            opened(role, model, places)
        assert told in str(caught.value)
        assert len(str(caught.value)) <= LONGEST
        assert "\n" not in str(caught.value)


def test_a_model_of_the_hubs_cache_is_found_by_name(models: Path, tmp_path: Path) -> None:
    revision = "0" * 40
    kept = tmp_path / "hub/models--Someone--tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs/main").write_text(revision)
    (kept / "snapshots").mkdir()
    (kept / "snapshots" / revision).symlink_to(models / "encoder")
    by_name: Encoder = opened("encoder", "Someone/tiny", Places(hub_cache=tmp_path / "hub"))
    by_folder: Encoder = opened("encoder", models / "encoder")
    assert by_name.digest == by_folder.digest


def test_naming_local_providers_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from twinloop.dialogue.providers.registry import settings_type\n"
        f"kinds = [settings_type(role, 'local') for role in {tuple(ROLES)}]\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_group_local_fits_the_schema(repository: Path) -> None:
    import yaml

    from twinloop.twins.person.config import ProvidersSettings

    given = yaml.safe_load((repository / "conf/person/providers/local.yaml").read_text())
    providers = parse(ProvidersSettings, given)
    assert {providers.provider(role).name for role in ROLES} == {"local"}  # type: ignore[arg-type]
