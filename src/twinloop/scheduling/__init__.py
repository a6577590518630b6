"""Job shops: the problem, solvers behind one interface, an independent checker, execution and re-planning.

JobShop describes, reads or writes a shop, `solve` plans it, by any of `methods.METHODS`; `execution` runs and hardens
plans, `rescheduling` reacts to events; random shops are made by the last three names.
"""

from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.problem.generate import classical_shop, flexible_shop, rich_shop
from twinloop.scheduling.problem.settings import Product, Rush, ShopMachine, ShopSettings, Step
from twinloop.scheduling.question import Limit, Question
from twinloop.scheduling.settings import Change, ScheduleSettings
from twinloop.scheduling.solution import Solution

__all__ = [
    "Alternative",
    "Change",
    "Goal",
    "Job",
    "JobShop",
    "Limit",
    "Material",
    "Operation",
    "Pool",
    "Product",
    "Question",
    "Rush",
    "ScheduleSettings",
    "ShopMachine",
    "ShopSettings",
    "Solution",
    "Step",
    "Window",
    "classical_shop",
    "flexible_shop",
    "rich_shop",
]
