"""Detectors of anomalies by name. A new one is a file and an entry here."""

from collections.abc import Callable, Mapping
from typing import Any

from twinloop.errors import InputError, unknown
from twinloop.prognostics.anomaly.detector import ANOMALIES, Detector, anomalies, watched
from twinloop.prognostics.anomaly.isolation import IsolationForest, export_isolation, fit_isolation, open_isolation
from twinloop.prognostics.anomaly.novelty import Novelty
from twinloop.prognostics.anomaly.rolling import RollingThreshold
from twinloop.prognostics.anomaly.settings import IsolationSettings, NoveltySettings, RollingSettings
from twinloop.prognostics.models.table import FeatureTable

__all__ = [
    "ANOMALIES",
    "DETECTORS",
    "Detector",
    "IsolationForest",
    "IsolationSettings",
    "Novelty",
    "NoveltySettings",
    "RollingSettings",
    "RollingThreshold",
    "anomalies",
    "export_isolation",
    "fit_detector",
    "fit_isolation",
    "open_isolation",
]


def _rolling(table: FeatureTable, settings: Any, *, columns: tuple[str, ...] | None, seed: int) -> Detector:
    return RollingThreshold(watched(table, columns), settings)


def _novelty(table: FeatureTable, settings: Any, *, columns: tuple[str, ...] | None, seed: int) -> Detector:
    return Novelty(watched(table, columns), settings)


# Name → its settings, and what makes it from windows to learn from.
DETECTORS: Mapping[str, tuple[type[Any], Callable[..., Detector]]] = {
    "isolation forest": (IsolationSettings, fit_isolation),
    "rolling threshold": (RollingSettings, _rolling),
    "novelty": (NoveltySettings, _novelty),
}


def fit_detector(
    name: str, table: FeatureTable, settings: Any = None, *, columns: tuple[str, ...] | None = None, seed: int = 0
) -> Detector:
    """The detector of that name. table: windows to learn from; the forest learns what is usual, others the columns.

    settings: of its class, its defaults where None. columns: to watch, else all that vary but for ages. Raises
    InputError for an unknown name, settings of another detector, and columns that are not there.
    """
    if name not in DETECTORS:
        raise unknown("anomaly: detector", name, DETECTORS)
    kind, fit = DETECTORS[name]
    settings = kind() if settings is None else settings
    if not isinstance(settings, kind):
        raise InputError(f"anomaly: {name}: expected {kind.__name__}, got {type(settings).__name__}")
    return fit(table, settings, columns=columns, seed=seed)
