"""The study's trials, for the page on tuning."""

from twinloop.reporting.study import StudyOutputs
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.base import FactoryOutputs
from twinloop.vision.training.objectives import OBJECTIVES


class Search(StudyOutputs, FactoryOutputs):
    """What the tune stage left."""

    trials_file = paths.TRIALS
    chosen_file = paths.TUNED
    study_file = paths.metrics("tune")
    objectives = OBJECTIVES
