"""The study's trials, for the page on retrieval."""

from twinloop.reporting.study import StudyOutputs
from twinloop.twins.person import paths
from twinloop.twins.person.learning.objectives import OBJECTIVES
from twinloop.twins.person.results.base import PersonOutputs


class Search(StudyOutputs, PersonOutputs):
    """What the tune stage left."""

    trials_file = paths.TRIALS
    chosen_file = paths.TUNED
    study_file = paths.metrics("tune")
    objectives = OBJECTIVES
