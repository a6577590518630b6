"""Searched values reach the settings that they name, and no others."""

import dataclasses

import pytest

from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.knowledge.tuning import check_space, tuned
from twinloop.search_space import Dimension


def test_values_change_what_they_name_and_leave_the_rest() -> None:
    given = IndexSettings()
    changed = tuned(given, {"chunks.words": 90, "retrieval.lexical": 0.25})
    assert changed.chunks == dataclasses.replace(given.chunks, words=90)
    assert changed.retrieval == dataclasses.replace(given.retrieval, lexical=0.25)
    assert changed.lexical == given.lexical
    assert tuned(given, {}) == given


@pytest.mark.parametrize("values", [{"colour": 1}, {"chunks.colour": 1}, {"lexical.b": 2.0}, {"chunks.words": 40}])
def test_values_that_fit_nothing_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"searched|1|overlap"):
        tuned(IndexSettings(), values)


def test_a_space_beyond_the_settings_is_refused() -> None:
    check_space(IndexSettings(), {"lexical.b": Dimension(kind="float", low=0.0, high=1.0)})
    with pytest.raises(ValueError, match=r"lexical.b = 2.0"):
        check_space(IndexSettings(), {"lexical.b": Dimension(kind="float", low=0.0, high=2.0)})
