"""Searched values put into a hazard's settings, and the check of a space before a search."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from twinloop.learning.settings import require_valid_space, varied
from twinloop.prognostics.models.settings import HazardSettings, HazardStudySettings

SEARCHED = ("boost", "forest")
THREADS = ("threads",)


def tuned(given: HazardSettings, values: Mapping[str, Any]) -> HazardSettings:
    """The settings with `values` (dotted names: `boost.depth`) put in; they are checked again.

    Raises ValueError for a name that is no field of the trees or a value that they refuse.
    """
    changes: dict[str, dict[str, Any]] = {name: {} for name in SEARCHED}
    for name, value in values.items():
        section, _, field = name.partition(".")
        if section not in changes:
            raise ValueError(f"nothing of that name can be searched: {name}; expected boost.… or forest.…")
        changes[section][field] = value
    return dataclasses.replace(
        given, **{name: varied(getattr(given, name), changes[name], fixed=THREADS) for name in SEARCHED}
    )


def check_space(given: HazardSettings, study: HazardStudySettings) -> None:
    """Raise ValueError unless the trees take everything that the space varies."""
    for name, dimension in study.space.items():
        section, _, field = name.partition(".")
        if section not in SEARCHED:
            raise ValueError(f"tune.space: {name}: nothing of that name can be searched: expected boost.… or forest.…")
        require_valid_space(getattr(given, section), {field: dimension}, name=f"tune.space.{section}", fixed=THREADS)
