"""Settings of predictors of remaining life and of failure; free of torch and of tree libraries."""

import dataclasses
import re
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.learning.settings import FitSettings, StudySettings
from twinloop.search_space import Dimension

Share = Annotated[float, Field(gt=0, le=1)]


@settings
class BoostSettings:
    """Gradient-boosted trees (XGBoost). share: of rows per tree; columns: of columns per split; leaf: least weight."""

    trees: Annotated[int, Field(ge=1, le=100_000)] = 250
    depth: Annotated[int, Field(ge=1, le=30)] = 6
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.03
    share: Share = 0.5
    columns: Share = 0.4
    leaf: Annotated[float, Field(ge=0)] = 100.0
    bins: Annotated[int, Field(ge=2, le=1024)] = 64
    threads: Annotated[int, Field(ge=1, le=1024)] = 1


@settings
class ForestSettings:
    """A random forest (Breiman, 2001). share: of rows per tree; columns: of columns per split."""

    trees: Annotated[int, Field(ge=1, le=10_000)] = 100
    leaf: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    share: Share = 0.5
    columns: Share = 0.2
    depth: Annotated[int, Field(ge=1, le=100)] = 12
    threads: Annotated[int, Field(ge=1, le=1024)] = 1


@settings
class LinearSettings:
    """A logistic regression. inverse_penalty: the less, the nearer its weights are to 0."""

    inverse_penalty: Annotated[float, Field(gt=0)] = 0.1
    iterations: Annotated[int, Field(ge=10, le=1_000_000)] = 300


@settings
class NetworkSettings:
    """A temporal convolution network. length: windows that it sees; levels: of dilated convolutions, 1, 2, 4 ….

    share: of all rows that an epoch draws: neighbours in time tell the same. noise: added to inputs in training.
    """

    length: Annotated[int, Field(ge=2, le=100_000)] = 60
    width: Annotated[int, Field(ge=4, le=4096)] = 32
    levels: Annotated[int, Field(ge=1, le=16)] = 5
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    batch: Annotated[int, Field(ge=2, le=1_000_000)] = 256
    share: Share = 0.5
    noise: Annotated[float, Field(ge=0)] = 0.1
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3
    fit: FitSettings = dataclasses.field(default_factory=lambda: FitSettings(epochs=16, patience=16, keep="last"))


@settings
class RulSettings:
    """Remaining life by two sets of boosted trees and a network, averaged over folds of units.

    cap: hours beyond which a life counts as that (a new engine shows no wear). with_age: whether the trees see how long
    an asset has been watched. sensor_share: weight, among the trees, of those that see single sensors; the others see
    the joint signals and drift alone: of few units, many sensors teach their noise. network_share: weight of the
    network in the mean of all; a share of 0 leaves its part out.
    """

    cap: Annotated[float, Field(gt=0)] = 125.0
    folds: Annotated[int, Field(ge=2, le=1_000)] = 5
    with_age: bool = True
    sensor_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    network_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    boost: BoostSettings = dataclasses.field(default_factory=BoostSettings)
    network: NetworkSettings = dataclasses.field(default_factory=NetworkSettings)


@settings
class HazardSettings:
    """Probability of failure day by day, given survival until then, per component.

    learnt_from: regular expression of the features that the trees learn from, all where empty: more of them cost time
    and teach noise. days: of the horizon. period_h: hours of one of its days by the lives' clock. survived_per_failure:
    survived days that are drawn for every failed one, weighted back to their number. with_linear, with_network: whether
    they are averaged with the trees.
    """

    learnt_from: str = ""
    days: Annotated[int, Field(ge=1, le=3650)] = 14
    period_h: Annotated[float, Field(gt=0)] = 24.0
    folds: Annotated[int, Field(ge=2, le=1_000)] = 5
    survived_per_failure: Annotated[int, Field(ge=1, le=100_000)] = 40
    least_failures: Annotated[int, Field(ge=2, le=1_000_000)] = 10
    with_linear: bool = False
    with_network: bool = True
    linear: LinearSettings = dataclasses.field(default_factory=LinearSettings)
    boost: BoostSettings = dataclasses.field(
        default_factory=lambda: BoostSettings(trees=200, depth=4, learning_rate=0.05, leaf=1.0)
    )
    forest: ForestSettings = dataclasses.field(default_factory=ForestSettings)
    network: NetworkSettings = dataclasses.field(
        default_factory=lambda: NetworkSettings(
            length=14, width=16, levels=3, fit=FitSettings(epochs=10, patience=10, keep="last")
        )
    )

    def __post_init__(self) -> None:
        try:
            re.compile(self.learnt_from)
        except re.error as error:
            raise ValueError(f"learnt_from = {self.learnt_from!r}: expected a regular expression: {error}") from None


@settings
class HazardStudySettings(StudySettings):
    """A study of the hazard's trees: each trial learns from one part of the training assets and is judged on another.

    share: of the training assets that trials use. space: what may vary, such as boost.depth and forest.leaf.
    """

    share: Share = 0.5
    space: dict[str, Dimension] = dataclasses.field(default_factory=dict)
