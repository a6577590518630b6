"""What is to be planned: jobs, operations with alternative machines, and everything that limits them."""

from twinloop.scheduling.problem.checks import LARGEST_COST, LARGEST_TIME
from twinloop.scheduling.problem.jobs import Alternative, Job, Operation
from twinloop.scheduling.problem.resources import Changeover, Material, Operator, Pool, Window
from twinloop.scheduling.problem.shop import JobShop
from twinloop.scheduling.problem.weekly import Calendar, Day, Shift

__all__ = [
    "LARGEST_COST",
    "LARGEST_TIME",
    "Alternative",
    "Calendar",
    "Changeover",
    "Day",
    "Job",
    "JobShop",
    "Material",
    "Operation",
    "Operator",
    "Pool",
    "Shift",
    "Window",
]
