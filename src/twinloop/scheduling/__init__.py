"""Job shops: the problem, solvers behind one interface, an independent checker, execution and re-planning.

JobShop describes or reads a shop, `solve` plans it; what executes and re-plans stands in the rooms of these names.
"""

from twinloop.scheduling.objectives import Goal
from twinloop.scheduling.problem import Alternative, Job, JobShop, Material, Operation, Pool, Window
from twinloop.scheduling.settings import Change, Product, Rush, ScheduleSettings, ShopMachine, ShopSettings, Step
from twinloop.scheduling.solution import Limit, Solution

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
    "Rush",
    "ScheduleSettings",
    "ShopMachine",
    "ShopSettings",
    "Solution",
    "Step",
    "Window",
]
