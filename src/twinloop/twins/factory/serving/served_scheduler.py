"""The scheduler as it is served: MLflow executes this file, so nothing is pickled.

A request holds shops in a column `instance`, each a text of JSON as `write_shop` writes it; every row is answered by
itself, and one that is no valid shop says why in `error` while the others are planned. The limit is in deterministic
seconds: the same instance gets the same plan on every server.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlflow.models
import pandas as pd
from mlflow.pyfunc.model import PythonModel

from twinloop.config import parse
from twinloop.errors import InputError
from twinloop.scheduling.files.shop_json import shop_from
from twinloop.scheduling.planning import solve
from twinloop.scheduling.settings import ScheduleSettings
from twinloop.scheduling.solution import Solution

MAX_CHARACTERS = 20_000_000
SEED = 0


class ServedScheduler(PythonModel):
    """Answers posted instances; `artifacts` is the file of settings."""

    def load_context(self, context: Any) -> None:
        text = Path(context.artifacts["settings"]).read_text(encoding="utf-8")
        self._settings = parse(ScheduleSettings, json.loads(text))

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """One answer per row of the column `instance`."""
        return [planned(instance, self._settings) for instance in model_input["instance"]]


def planned(instance: Any, settings: ScheduleSettings) -> dict[str, Any]:
    """A posted instance's plan, or why there is none."""
    try:
        shop = shop_from(_content(instance), "instance")
    except InputError as error:
        return {**dict.fromkeys(("status", "objective", "bound", "reason", "plan")), "error": str(error)}
    return answer(solve(shop, settings, seed=SEED))


def answer(solution: Solution) -> dict[str, Any]:
    """What a solution is as JSON. plan: one row per operation with job, operation, machine, start, end."""
    return {
        "status": solution.status,
        "objective": solution.objective,
        "bound": solution.bound,
        "reason": solution.reason,
        "plan": [asdict(a) for a in solution.plan or ()],
        "error": None,
    }


def _content(instance: Any) -> Any:
    if not isinstance(instance, str) or not instance:
        raise InputError("instance: expected a text, a shop as JSON")
    if len(instance) > MAX_CHARACTERS:
        raise InputError(f"instance: the text is longer than {MAX_CHARACTERS // 10**6} MB: send a smaller shop")
    try:
        return json.loads(instance)
    except json.JSONDecodeError as error:
        raise InputError(f"instance:{error.lineno}: expected JSON: {error.msg}") from None
    except RecursionError:
        raise InputError("instance: expected JSON of a shop, got a text nested far too deep") from None


mlflow.models.set_model(ServedScheduler())
