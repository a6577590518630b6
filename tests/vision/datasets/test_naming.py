"""Which name means good: told, known in several languages, or guessed and said; never assumed."""

import pytest

from twinloop.errors import InputError
from twinloop.vision.datasets.naming import class_label, classes_of, is_bad, no_good

KNOWN = ["good", "Gutteil", "i.O.", "fehlerfrei", "Sans défaut", "buenas", "Buoni", "sem-defeito", "goed", "годные",
         "良品", "合格", "양품", "Normal"]  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_words_for_good_are_known_in_several_languages(name: str) -> None:
    assert class_label(name) == "good"


@pytest.mark.parametrize("name", ["n.i.O.", "nok", "not ok", "不良品", "Ausschuss", "défaut", "brak"])
def test_words_for_bad_are_not_taken_for_good(name: str) -> None:
    assert class_label(name) != "good"
    assert classes_of([name, "x"], (), where="here").notes == ()


@pytest.mark.parametrize("name", ["nok", "Defects", "n.i.O.", "不良", "anomaly"])
def test_a_name_that_only_says_bad_is_known(name: str) -> None:
    assert is_bad(name)
    assert not is_bad("scratch")


def test_a_word_for_good_inside_a_name_is_guessed_and_said() -> None:
    found = classes_of(["def_front", "ok_front"], (), where="here")
    assert found.labels == {"def_front": "def_front", "ok_front": "good"}
    assert found.notes == ("ok_front taken for good by the name; DatasetSettings.good=[…] names others.",)


@pytest.mark.parametrize("names", [["not_ok_front", "x"], ["front_1", "front_2"], ["ok_a", "ok_b"]])
def test_nothing_is_guessed_where_names_do_not_tell(names: list[str]) -> None:
    assert classes_of(names, (), where="here").notes == ()


def test_named_folders_are_good_and_no_others() -> None:
    found = classes_of(["0", "1", "good"], ("0",), where="here")
    assert found.labels == {"0": "good", "1": "1", "good": "not good"}


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"here: DatasetSettings\.good names 'ok', found a, b"):
        classes_of(["a", "b"], ("ok",), where="here")


def test_where_no_class_is_good_the_setting_is_told() -> None:
    assert no_good(["a", "b"]).endswith("found a, b: name what is good: DatasetSettings.good=[a]")
    assert no_good(["good"]) == "expected good parts and at least one defect class, found good"


@pytest.mark.parametrize("name", ["not_defective", "keine_fehler", "Sans défauts", "no-scrap"])
def test_no_defect_is_good(name: str) -> None:
    assert classes_of([name, "scratch"], (), where="here").labels[name] == "good"


def test_one_defect_is_not_none() -> None:
    assert classes_of(["un_defaut", "x"], (), where="here").labels["un_defaut"] == "un_defaut"
