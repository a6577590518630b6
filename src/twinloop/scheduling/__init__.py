"""Job shops: the problem, dispatching rules and CP-SAT, an independent checker, execution under breakdowns.

`solve` and `execute` bring CP-SAT, SimPy and joblib; import them from their modules.
"""

from twinloop.scheduling.settings import Change, Product, Rush, ScheduleSettings, ShopMachine, ShopSettings, Step

__all__ = ["Change", "Product", "Rush", "ScheduleSettings", "ShopMachine", "ShopSettings", "Step"]
