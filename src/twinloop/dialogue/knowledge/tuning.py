"""Searched values put into the settings of finding, and the check of a space before a search."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.learning.settings import require_valid_space, varied
from twinloop.search_space import Dimension

SECTIONS = tuple(field.name for field in dataclasses.fields(IndexSettings))


def tuned(given: IndexSettings, values: Mapping[str, Any]) -> IndexSettings:
    """The settings with `values` (dotted names: `retrieval.lexical`) put in; they are checked again.

    Raises ValueError for a name that is no field of them or a value that they refuse.
    """
    changes: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for name, value in values.items():
        section, field = _named(name)
        changes[section][field] = value
    return dataclasses.replace(given, **{name: varied(getattr(given, name), changes[name]) for name in SECTIONS})


def check_space(given: IndexSettings, space: Mapping[str, Dimension]) -> None:
    """Raise ValueError unless the settings take everything that the space varies."""
    for name, dimension in space.items():
        section, field = _named(name)
        require_valid_space(getattr(given, section), {field: dimension}, name=f"tune.space.{section}")


def _named(name: str) -> tuple[str, str]:
    section, _, field = name.partition(".")
    if section not in SECTIONS:
        raise ValueError(f"tune.space: {name}: nothing of that name is searched: expected {'.…, '.join(SECTIONS)}.…")
    return section, field
