"""The predictor as it is served: MLflow executes this file, so nothing is pickled.

A request holds assets in a column `windows`, each a text of JSON: `asset`, its windows as `columns` (time_min, the end
of a window in minutes, and features) and `rows` in the order of time (null where missing), and `begun`: by component,
the minute from which on its present part is in the asset, where that is known (else the first window). Every asset is
answered with what may fail, the likeliest first; a request with an asset that cannot be read is refused with status 400
and one line.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
import polars as pl
from mlflow.pyfunc.model import PythonModel

from twinloop.errors import LONGEST_NAME, InputError, nearest
from twinloop.prognostics.data.screening import check_names
from twinloop.prognostics.inference.graphs import open_hazard
from twinloop.prognostics.inference.risks import Consequence, asked, diagnoses
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.table import FeatureTable
from twinloop.tracking.refused import Refused

MAX_CHARACTERS = 20_000_000
MOST_ROWS = 100_000
TIME = "time_min"
# Graphs reckon in Float32.
LARGEST = float(np.finfo(np.float32).max)
LIVES = {"asset": pl.String, "component": pl.String, "begin_min": pl.Float64}


class ServedPredictor(PythonModel):
    """Answers posted windows; `artifacts` are the predictor's folder and what failures cost."""

    def load_context(self, context: Any) -> None:
        rest = json.loads(Path(context.artifacts["consequences"]).read_text(encoding="utf-8"))
        self._model = open_hazard(Path(context.artifacts["predictor"]))
        self._least = float(rest["least"])
        self._consequences = {name: Consequence(**one) for name, one in rest["consequences"].items()}

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """One answer per row of the column `windows`."""
        answers = []
        for row, text in enumerate(model_input["windows"]):
            try:
                table, lives = read_windows(text, self._model)
                answers.append(self._answer(table, lives))
            except InputError as error:
                raise Refused(f"row {row + 1}: {error}" if len(model_input) > 1 else str(error)) from None
        return answers

    def _answer(self, table: FeatureTable, lives: pl.DataFrame) -> dict[str, Any]:
        made = diagnoses(asked(self._model, table, lives), self._consequences, least=self._least)
        shown = [{k: v for k, v in one.record().items() if k not in ("asset", TIME)} for one in made]
        return {"asset": table.assets[0], TIME: float(table.time_min[-1]), "diagnoses": shown}


def read_windows(text: Any, model: HazardModel) -> tuple[FeatureTable, pl.DataFrame]:
    """One asset's windows, and since when its parts are in it. Raises InputError for anything else."""
    given = _content(text)
    asset, names, rows = (given.get(name) for name in ("asset", "columns", "rows"))
    if not isinstance(asset, str) or not asset.strip():
        raise InputError("windows: expected the name of an asset, got none")
    check_names(pl.Series([asset]), "asset")
    if not isinstance(names, list) or TIME not in names or len({"asset", *map(str, names)}) <= len(names):
        raise InputError(f"windows: {asset}: expected columns with {TIME} and features, each once")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        raise InputError(f"windows: {asset}: expected from 1 to {MOST_ROWS} rows")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise InputError(f"windows: {asset}: row {number}: expected {len(names)} values as there are columns")
        for name, value in zip(names, row, strict=True):
            if not _number(value) and (value is not None or name == TIME):
                raise InputError(f"windows: {asset}: row {number}: {name}: expected a number, got {_shown(value)}")
    columns = {str(name): [row[place] for row in rows] for place, name in enumerate(names)}
    frame = pl.DataFrame({name: pl.Series(values, dtype=pl.Float64) for name, values in columns.items()})
    table = FeatureTable.of(frame.select(pl.lit(asset).alias("asset"), TIME, pl.exclude(TIME)))
    # Named here, before a graph is asked: what is missing is the request's fault.
    latest = table.selected(model.columns)[-1], table.selected(model.signals)[-1]
    if all(np.isnan(values).all() for values in latest):
        raise InputError(f"windows: {asset}: the last window has no value: nothing can be foretold from it")
    if not (np.diff(table.time_min) > 0).all():
        raise InputError(f"windows: {asset}: expected windows each at its own {TIME}, two have one")
    begun = given.get("begun") or {}
    if not isinstance(begun, Mapping):
        raise InputError(f"windows: {asset}: begun: expected minutes by component")
    for component, minute in begun.items():
        if component not in model.components:
            raise InputError(
                f"windows: {asset}: unknown component {component!r}; {nearest(component, model.components)}"
            )
        if not _number(minute) or minute > table.time_min[-1]:
            raise InputError(
                f"windows: {asset}: begun: {component}: expected a minute up to the last window's "
                f"{table.time_min[-1]:g}, got {_shown(minute)}"
            )
    first = float(table.time_min[0])
    lives = [(asset, component, float(begun.get(component, first))) for component in model.components]
    return table, pl.DataFrame(lives, schema=LIVES, orient="row")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _shown(value: Any) -> str:
    return repr(value)[:LONGEST_NAME]


def _content(text: Any) -> Mapping[str, Any]:
    if not isinstance(text, str) or not text:
        raise InputError("windows: expected a text, an asset's windows as JSON")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"windows: the text is longer than {MAX_CHARACTERS // 10**6} MB: send fewer windows")
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"windows: expected JSON: {error.msg} at character {error.pos}") from None
    except ValueError:
        raise InputError("windows: expected JSON, got a number of thousands of digits") from None
    except RecursionError:
        raise InputError("windows: expected an asset's windows, got a text nested far too deep") from None
    if not isinstance(given, Mapping):
        raise InputError("windows: expected an object with asset, columns and rows")
    return given


mlflow.models.set_model(ServedPredictor())
