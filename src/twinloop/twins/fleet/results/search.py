"""The study's trials, for the page on prediction."""

from twinloop.prognostics.objectives import OBJECTIVES
from twinloop.reporting.study import StudyOutputs
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.results.base import FleetOutputs


class Search(StudyOutputs, FleetOutputs):
    """What the tune stage left."""

    trials_file = paths.TRIALS
    chosen_file = paths.TUNED
    study_file = paths.metrics("tune")
    objectives = OBJECTIVES
