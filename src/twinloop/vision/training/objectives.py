"""What a study of detectors may ask for, apart from the code that needs torch: a report reads it too."""

import dataclasses

from twinloop.learning.objectives import Objective
from twinloop.vision.training.settings import DetectorStudySettings

AP = Objective("val_ap", "AP")
# All that a trial may be judged by, in the order of the table of trials.
OBJECTIVES = (AP, Objective("latency_ms", "latency", "minimize", unit="ms"))


def objectives(study: DetectorStudySettings) -> tuple[Objective, ...]:
    """What `study` asks for, in the order in which a trial answers."""
    budget = dataclasses.replace(
        OBJECTIVES[1], limit=study.latency_budget_ms, setting="DetectorStudySettings.latency_budget_ms"
    )
    known = {"ap": AP, "latency": budget}
    return tuple(known[name] for name in study.objectives)
