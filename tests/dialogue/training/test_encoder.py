"""A small encoder learnt from questions: it ranks passages that it never saw, repeats itself and runs without torch."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from twinloop.dialogue.models.bert import BertShape
from twinloop.dialogue.models.sentence_encoder import SentenceEncoder
from twinloop.dialogue.training.encoder import TOKENIZER, WEIGHTS, _Contrast, fit_encoder
from twinloop.dialogue.training.pairs import Pair, cloze_pairs, epoch_batches
from twinloop.dialogue.training.settings import EncoderTrainingSettings
from twinloop.errors import InputError
from twinloop.files import sha256
from twinloop.learning.settings import FitSettings

NAMES = ("Ada", "Berta", "Carl", "Dora", "Emil", "Frida", "Gustav", "Hedwig", "Ida", "Jakob", "Klara", "Ludwig")
FACTS = {
    "lives": ("Where does {} live", "{} has a flat in the old town of Bremen. The street is narrow. It has a garden."),
    "works": ("What is the job of {}", "{} repairs pianos in a workshop. Strings are tuned there. It smells of glue."),
    "plays": ("Which sport does {} play", "On Sundays {} rows on the river. The boat is red. The club is small."),
    "eats": ("What does {} like to eat", "{} orders dumplings wherever there are some. With butter. Never with cream."),
}
SMALL = EncoderTrainingSettings(
    vocabulary=400, tokens=40, layers=1, heads=2, width=32, batch=16, fit=FitSettings(epochs=8, patience=8)
)


def pairs(names: tuple[str, ...]) -> list[Pair]:
    return [Pair(asked.format(name), said.format(name)) for name in names for asked, said in FACTS.values()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    folder = tmp_path_factory.mktemp("encoder")
    fitted = fit_encoder(pairs(NAMES[:9]), pairs(NAMES[9:]), folder, SMALL, seed=3, show=None).fitted
    return folder, fitted.best["reciprocal_rank"]


def encoder(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(
        folder / WEIGHTS, folder / TOKENIZER, shape=BertShape(layers=SMALL.layers, heads=SMALL.heads)
    )


def test_what_was_learnt_ranks_unseen_passages_as_its_training_said(trained: tuple[Path, float]) -> None:
    folder, said = trained
    held = pairs(NAMES[9:])
    model = encoder(folder)
    near = model.encode([p.question for p in held]).vectors @ model.encode([p.passage for p in held]).vectors.T
    rank = (near >= np.diag(near)[:, None] - 1e-6).sum(axis=1)
    assert np.mean(1 / rank) == pytest.approx(said, abs=0.02)
    # Of 12 passages one drawn at random has a mean reciprocal rank of (1 + 1/2 + … + 1/12) / 12 = 0.26.
    assert said > 0.5


def test_what_is_held_out_is_ranked_once_an_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    looked: list[int] = []
    told = _Contrast.validation_step
    monkeypatch.setattr(_Contrast, "validation_step", lambda *given: (looked.append(1), told(*given)))
    settings = dataclasses.replace(SMALL, fit=FitSettings(epochs=2, patience=2))
    fit_encoder(pairs(NAMES[:9]), pairs(NAMES[9:]), tmp_path, settings, seed=3, show=None)
    assert len(looked) == 2


def test_the_same_texts_and_seed_give_the_same_bytes(trained: tuple[Path, float], tmp_path: Path) -> None:
    folder, _ = trained
    fit_encoder(pairs(NAMES[:9]), pairs(NAMES[9:]), tmp_path, SMALL, seed=3, show=None)
    for name in (WEIGHTS, TOKENIZER):
        assert sha256(tmp_path / name) == sha256(folder / name)


def test_one_passage_alone_cannot_be_learnt_from(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="questions on at least two passages to learn from"):
        fit_encoder([Pair("who", "Ada")] * 5, pairs(NAMES[:2]), tmp_path, SMALL, seed=0, show=None)


def test_a_torn_sentence_is_not_in_the_passage_that_it_asks_for() -> None:
    torn = cloze_pairs([said.format("Ada") for _, said in FACTS.values()], 40, seed=1)
    assert len(torn) == 40
    assert not any(pair.question in pair.passage for pair in torn)
    assert cloze_pairs(["One sentence only."], 5, seed=1) == []


def test_every_pair_is_in_one_batch_of_an_epoch() -> None:
    for epoch in range(3):
        rows = np.concatenate(list(epoch_batches(37, 8, seed=5, epoch=epoch)))
        assert sorted(rows) == list(range(37))
    first, again = (np.concatenate(list(epoch_batches(37, 8, seed=5, epoch=1))) for _ in range(2))
    np.testing.assert_array_equal(first, again)
