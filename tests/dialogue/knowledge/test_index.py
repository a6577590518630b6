import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialogue.small_encoder import written_encoder
from twinloop.dialogue.knowledge.files import load_index, save_index
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.document import Document, conversation
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.knowledge.settings import ChunkSettings, IndexSettings
from twinloop.dialogue.models.sentence_encoder import SentenceEncoder
from twinloop.dialogue.providers.protocols import Encoded
from twinloop.errors import InputError, RunError

SETTINGS = IndexSettings(chunks=ChunkSettings(words=8, overlap=2, turns=2))
OVEN = "The oven runs hot at noon. The oven is cleaned on Friday. Who stops the oven at noon?"
MEETING = [("Ann", "When is the press cleaned?"), ("Bob", "At noon."), ("Ann", "Cold oven."), ("Bob", "Hot.")]
DOCUMENTS = [
    parse_document("oven.txt", OVEN.encode()),
    parse_document("press.txt", b"The press stops when cold. The press is cleaned at noon."),
    conversation("meeting", MEETING),
    conversation("call", [("Ann", "The oven stops on Friday."), ("Bob", "The press runs.")]),
]
QUESTIONS = ["When is the oven cleaned?", "who stops the press at noon", "hot", "zebra", ""]
STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, len(DOCUMENTS) - 1)), max_size=12)


def filled(encoder: SentenceEncoder | None, documents: list[Document]) -> Index:
    index = Index(encoder, SETTINGS)
    for document in documents:
        index.add(document)
    return index


@given(STEPS)
@settings(max_examples=40)
def test_an_index_answers_as_a_fresh_one_after_any_adding_and_deleting(
    encoder: SentenceEncoder, steps: list[tuple[bool, int]]
) -> None:
    index, there = Index(encoder, SETTINGS), set[int]()
    for adding, number in steps:
        if adding:
            assert index.add(DOCUMENTS[number]) is (number not in there)
            there.add(number)
        elif number in there:
            index.delete(DOCUMENTS[number].digest)
            there.remove(number)
        # Asked in between, so that what is made for a question is made anew after the next change.
        index.search("oven")
    fresh = filled(encoder, [DOCUMENTS[number] for number in there])
    for question in QUESTIONS:
        assert index.search(question, 20) == fresh.search(question, 20)


def test_words_alone_find_without_an_encoder() -> None:
    hits = filled(None, DOCUMENTS).search("when is the press cleaned", 3)
    assert next(hit.name for hit in hits) == "press.txt"
    assert all(hit.dense == 0 for hit in hits)


def test_a_search_within_some_documents_finds_only_there(encoder: SentenceEncoder) -> None:
    index = filled(encoder, DOCUMENTS)
    hits = index.search("oven", 50, within=[DOCUMENTS[1].digest])
    assert {hit.name for hit in hits} == {"press.txt"}
    everywhere = {hit.chunk: hit.score for hit in index.search("oven", 50)}
    assert all(everywhere[hit.chunk] == hit.score for hit in hits)


@pytest.mark.parametrize("by_words", [False, True])
def test_questions_that_are_put_at_once_find_what_each_finds_alone(encoder: SentenceEncoder, by_words: bool) -> None:
    index = filled(None if by_words else encoder, DOCUMENTS)
    together = index.search_together(QUESTIONS, 20)
    for question, hits in zip(QUESTIONS, together, strict=True):
        alone = index.search(question, 20)
        assert [hit.chunk for hit in hits] == [hit.chunk for hit in alone]
        np.testing.assert_allclose([hit.score for hit in hits], [hit.score for hit in alone], atol=1e-5)
    assert Index().search_together(QUESTIONS) == ((),) * len(QUESTIONS)


def test_a_sentence_is_encoded_once_for_whoever_answers(encoder: SentenceEncoder) -> None:
    asked = list[str]()

    class Counting:
        dimensions, digest = encoder.dimensions, encoder.digest

        def encode(self, texts: list[str]) -> Encoded:
            asked.extend(texts)
            return encoder.encode(texts)

    index = Index(Counting(), SETTINGS)
    twice = index.vectors(["hot oven", "cold press", "hot oven"])
    assert twice.tolist() == encoder.encode(["hot oven", "cold press", "hot oven"]).vectors.tolist()
    assert index.vectors(["cold press", "noon"])[0].tolist() == twice[1].tolist()
    assert asked == ["hot oven", "cold press", "noon"]
    assert Index().vectors(["noon"]).shape == (1, 0)


def test_an_empty_index_finds_nothing() -> None:
    assert Index().search("oven") == ()


def test_a_saved_index_answers_as_before(encoder: SentenceEncoder, tmp_path: Path) -> None:
    index = filled(encoder, DOCUMENTS)
    save_index(index, tmp_path / "index")
    again = load_index(tmp_path / "index", encoder, SETTINGS)
    assert [again.search(question, 20) for question in QUESTIONS] == [
        index.search(question, 20) for question in QUESTIONS
    ]
    again.delete(DOCUMENTS[0].digest)
    save_index(again, tmp_path / "index")
    assert load_index(tmp_path / "index", encoder, SETTINGS).search("oven") == again.search("oven")


def test_an_index_of_another_encoder_or_other_settings_is_refused(encoder: SentenceEncoder, tmp_path: Path) -> None:
    save_index(filled(encoder, DOCUMENTS), tmp_path / "index")
    other = written_encoder(tmp_path, seed=1)
    with pytest.raises(InputError, match=f"another encoder \\({encoder.digest[:12]}, not {other.digest[:12]}\\)"):
        load_index(tmp_path / "index", other, SETTINGS)
    with pytest.raises(InputError, match="another encoder .*not None"):
        load_index(tmp_path / "index", None, SETTINGS)
    with pytest.raises(InputError, match="another chunking"):
        load_index(tmp_path / "index", encoder)


def test_an_altered_or_broken_index_is_refused(encoder: SentenceEncoder, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    save_index(filled(encoder, DOCUMENTS), folder)
    content = bytearray((folder / "vectors.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "vectors.safetensors").write_bytes(bytes(content))
    with pytest.raises(InputError, match="altered since it was written"):
        load_index(folder, encoder, SETTINGS)
    (folder / "chunks.parquet").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_index(folder, encoder, SETTINGS)
    manifest = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(manifest | {"version": 0}))
    with pytest.raises(InputError, match="expected version 2, found 0"):
        load_index(folder, encoder, SETTINGS)
    with pytest.raises(InputError, match="expected an index"):
        load_index(tmp_path / "nothing", encoder, SETTINGS)


def test_an_encoder_of_nonsense_is_refused(encoder: SentenceEncoder) -> None:
    class Nonsense:
        dimensions, digest = 4, "none"

        def encode(self, texts: list[str]) -> object:
            return encoder.encode(texts)._replace(vectors=np.full((len(texts), 4), np.nan, np.float32))

    with pytest.raises(RunError, match="expected vectors of length 1"):
        Index(Nonsense(), SETTINGS).add(DOCUMENTS[0])
