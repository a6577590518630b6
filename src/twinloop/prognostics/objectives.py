"""What a study of hazards is judged by, apart from the code that learns: a report reads it too."""

from twinloop.learning.objectives import Objective

OBJECTIVES = (Objective("pr_auc", "PR-AUC"),)
