"""Remaining useful life: boosted trees over features, a network over their course, averaged over folds by unit.

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
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.sequences import TemporalNetwork, fit_network, logits
from twinloop.prognostics.models.settings import RulSettings
from twinloop.prognostics.models.table import AGES, FeatureTable, ahead

Floats = NDArray[np.float64]


class Member(NamedTuple):
    """The models of one fold; None where a share is 0."""

    joint: Any
    sensors: Any
    network: TemporalNetwork | None


@dataclass(frozen=True, eq=False)
class RulModel:
    """joint, sensors: columns of the two sets of trees; signals: of the network.

    out_of_fold: [N, 3] hours by these of the training rows, each from models that never saw its unit; NaN of a part
    that was left out.
    """

    settings: RulSettings
    joint: tuple[str, ...]
    sensors: tuple[str, ...]
    signals: tuple[str, ...]
    members: tuple[Member, ...]
    out_of_fold: Floats

    def predict(self, table: FeatureTable, rows: NDArray[np.int64] | None = None) -> Floats:
        """Hours that remain at each of `rows` (all), from 0 to the cap."""
        rows = np.arange(len(table)) if rows is None else rows
        parts = [_predict(self, member, table, rows) for member in self.members]
        return self.blend(np.mean(parts, axis=0))

    def blend(self, parts: Floats) -> Floats:
        """[N] the mean, by the settings' shares, of [N, 3] hours by the parts."""
        sensors, network = self.settings.sensor_share, self.settings.network_share
        weights = np.array([(1 - network) * (1 - sensors), (1 - network) * sensors, network])
        mixed = parts[:, weights > 0] @ weights[weights > 0]
        hours: Floats = np.clip(mixed, 0.0, self.settings.cap)
        return hours

    def stacked(self, hours: Floats, judged: NDArray[np.bool_]) -> "RulModel":
        """The same models with the sensor share that fits labels [N] best where `judged` [N] (stacking; Wolpert, 1992).

        Least squares on what models say that never saw the units; the share stays as it is where a part was left out.
        """
        joint, sensors = self.out_of_fold[judged, 0], self.out_of_fold[judged, 1]
        apart = float(((sensors - joint) ** 2).sum())
        if not np.isfinite(apart) or apart == 0:
            return self
        share = float(((sensors - joint) * (hours[judged] - joint)).sum()) / apart
        return replace(self, settings=replace(self.settings, sensor_share=min(max(share, 0.0), 1.0)))


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
    ages = AGES[:1] if settings.with_age else ()
    model = RulModel(
        settings,
        joint=tuple(name for name in varying if _is_joint(name) or name in ages),
        sensors=tuple(name for name in varying if _is_sensor(name) or name in ages),
        signals=tuple(name for name in varying if name.endswith(".relative")),
        members=(),
        out_of_fold=np.full((len(table), len(Member._fields)), np.nan),
    )
    fold, members = unit_folds(table.unit, settings.folds, seed=seed), []
    for number in range(settings.folds):
        seen, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        members.append(_fitted(model, table, hours, seen, seed * settings.folds + number))
        model.out_of_fold[held] = _predict(model, members[-1], table, held)
    return replace(model, members=tuple(members))


def _is_joint(name: str) -> bool:
    noisy = ".unrest" in name or name.endswith(".excess")
    return ("." not in name and "drift" in name) or (name.startswith("joint_") and not noisy)


def _is_sensor(name: str) -> bool:
    kind = name.rpartition(".")[2]
    return not _is_joint(name) and kind.startswith(("level", "trend", "change", "life_mean"))


def _fitted(model: RulModel, table: FeatureTable, hours: Floats, seen: NDArray[np.int64], seed: int) -> Member:
    settings = model.settings
    joint, sensors = (
        fit_boosted(table.selected(columns)[seen], hours[seen], settings.boost, seed=seed) if share > 0 else None
        for columns, share in ((model.joint, 1 - settings.sensor_share), (model.sensors, settings.sensor_share))
    )
    network = None
    if settings.network_share > 0:
        target = (hours[seen] / settings.cap).astype(np.float32)
        sequences = _sequences(table, model.signals)
        network = fit_network(sequences, seen, target, _squared, settings.network, outputs=1, seed=seed)
    return Member(joint, sensors, network)


def _sequences(table: FeatureTable, signals: tuple[str, ...]) -> Sequences:
    return Sequences.of(table.selected(signals), table.unit)


def _squared(answer: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(torch.sigmoid(answer[:, 0]), target)


def _predict(model: RulModel, member: Member, table: FeatureTable, rows: NDArray[np.int64]) -> Floats:
    """[N, 3] hours by the two sets of trees and by the network."""
    answer = np.full((len(rows), len(Member._fields)), np.nan)
    for place, (booster, columns) in enumerate(((member.joint, model.joint), (member.sensors, model.sensors))):
        if booster is not None:
            answer[:, place] = boosted(booster, table.selected(columns)[rows])
    if member.network is not None:
        odds = logits(member.network, _sequences(table, model.signals), rows, model.settings.network)[:, 0]
        answer[:, 2] = model.settings.cap / (1 + np.exp(-odds))
    return answer
