"""What a study of finding is judged by."""

from twinloop.learning.objectives import Objective

OBJECTIVES = (Objective("ndcg", "nDCG@10"), Objective("hit", "answers right"))
