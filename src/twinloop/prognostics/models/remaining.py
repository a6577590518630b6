"""Remaining useful life: boosted trees over features and a network over their course, averaged over folds by unit.

Labels are capped (Heimes, 2008): a unit without wear shows nothing of its end. Each fold's models never saw the fold's
units, so what they say of these is honest: conformal intervals and every choice use it. New units get the folds' mean.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch.nn import functional

from twinloop.errors import InputError
from twinloop.prognostics.models.boosting import boosted, fit_boosted
from twinloop.prognostics.models.folds import unit_folds
from twinloop.prognostics.models.sequences import Sequences, TemporalNetwork, fit_network, logits
from twinloop.prognostics.models.settings import RulSettings
from twinloop.prognostics.models.table import AGES, FeatureTable, ahead

Floats = NDArray[np.float64]


class Member(NamedTuple):
    """The models of one fold; no network where its share is 0."""

    booster: Any
    network: TemporalNetwork | None


@dataclass(frozen=True, eq=False)
class RulModel:
    """columns: of the trees; signals: of the network. out_of_fold: [N, 2] hours by trees and by network of the training
    rows, each from models that never saw its unit (the network's are NaN without one)."""

    settings: RulSettings
    columns: tuple[str, ...]
    signals: tuple[str, ...]
    members: tuple[Member, ...]
    out_of_fold: Floats

    def predict(self, table: FeatureTable, rows: NDArray[np.int64] | None = None) -> Floats:
        """Hours that remain at each of `rows` (all), from 0 to the cap."""
        rows = np.arange(len(table)) if rows is None else rows
        values, sequences = table.selected(self.columns), _sequences(table, self.signals)
        parts = [_predict(member, values, sequences, rows, self.settings) for member in self.members]
        return self.blend(np.mean(parts, axis=0))

    def blend(self, parts: Floats) -> Floats:
        """[N] the mean by `network_share` of [N, 2] hours by trees and by network."""
        share = self.settings.network_share
        mixed = parts[:, 0] if share == 0 else (1 - share) * parts[:, 0] + share * parts[:, 1]
        return np.clip(mixed, 0.0, self.settings.cap)

    def with_share(self, network_share: float) -> "RulModel":
        """The same models with another weight of the network."""
        return replace(self, settings=replace(self.settings, network_share=network_share))


def remaining_hours(table: FeatureTable, lives: pl.DataFrame, *, cap: float) -> Floats:
    """[N] capped hours until failure. Raises InputError for several components, or a life that did not end so."""
    components = lives["component"].unique().sort()
    if len(components) != 1:
        raise InputError(f"models: expected lives of one component, got {', '.join(components) or 'none'}")
    label = ahead(table, lives, components[0])
    if not label.failed.all():
        raise InputError(
            f"models: expected every life to end in a failure, {int((~label.failed).sum())} rows have none ahead: "
            "leave such assets out, or use the hazard model, which takes lives that were cut"
        )
    return np.minimum(label.hours, cap)


def fit_remaining(table: FeatureTable, hours: Floats, settings: RulSettings, *, seed: int) -> RulModel:
    """A model of capped hours [N]. Raises InputError for fewer units than folds."""
    varying = table.varying
    columns = tuple(name for name in varying if _used(name, settings))
    signals = tuple(name for name in varying if name.endswith(".relative"))
    values, sequences = table.selected(columns), _sequences(table, signals)
    fold = unit_folds(table.unit, settings.folds, seed=seed)
    members, out_of_fold = [], np.full((len(table), 2), np.nan)
    for number in range(settings.folds):
        seen, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        booster = fit_boosted(values[seen], hours[seen], settings.boost, seed=seed * settings.folds + number)
        network = None
        if settings.network_share > 0:
            target = (hours[seen] / settings.cap).astype(np.float32)
            network = fit_network(
                sequences, seen, target, _squared, settings.network, outputs=1, seed=seed * settings.folds + number
            )
        members.append(Member(booster, network))
        out_of_fold[held] = _predict(members[-1], values, sequences, held, settings)
    return RulModel(settings, columns, signals, tuple(members), out_of_fold)


def _used(name: str, settings: RulSettings) -> bool:
    if name in AGES:
        return settings.with_age and name == AGES[0]
    noisy = ".unrest" in name or name.endswith(".excess")
    return (
        settings.inputs == "all" or ("." not in name and "drift" in name) or (name.startswith("joint_") and not noisy)
    )


def _sequences(table: FeatureTable, signals: tuple[str, ...]) -> Sequences:
    return Sequences.of(table.selected(signals), table.unit)


def _squared(answer: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(torch.sigmoid(answer[:, 0]), target)


def _predict(
    member: Member, values: NDArray[np.float32], sequences: Sequences, rows: NDArray[np.int64], settings: RulSettings
) -> Floats:
    """[N, 2] hours by trees and by network."""
    answer = np.full((len(rows), 2), np.nan)
    answer[:, 0] = boosted(member.booster, values[rows])
    if member.network is not None:
        answer[:, 1] = settings.cap / (1 + np.exp(-logits(member.network, sequences, rows, settings.network)[:, 0]))
    return answer
