"""Names from data become harmless before they are used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.vision.datasets.naming import class_label
from twinloop.vision.datasets.samples import printable, slug


@given(st.text())
def test_a_slug_is_always_a_plain_file_name(text: str) -> None:
    assert slug(text)
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


@given(st.text())
def test_printable_text_keeps_to_one_line(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(min_size=1))
def test_a_class_holds_no_markup(text: str) -> None:
    try:
        label = class_label(text)
    except InputError:
        return
    assert not set(label) & set("<>&\"'/\\|`\n=[]()")


@pytest.mark.parametrize(("folder", "label"), [("Kratzer tief", "Kratzer tief"), ("划痕", "划痕"), ("O.K.", "good")])
def test_ordinary_names_stay_as_they_are(folder: str, label: str) -> None:
    assert class_label(folder) == label


def test_a_broken_encoding_is_shown_as_an_escape() -> None:
    assert printable(b"caf\xe9\x1b[31m".decode("utf-8", "surrogateescape")) == "caf\\udce9\\x1b[31m"


def test_a_folder_without_letters_is_refused() -> None:
    with pytest.raises(InputError, match="expected a class name"):
        class_label("...")
