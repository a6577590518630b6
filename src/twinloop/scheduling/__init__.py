"""Job shops: the problem, dispatching rules and CP-SAT, an independent checker, execution under breakdowns.

`solve` and `execute` bring CP-SAT, SimPy and joblib; import them from their modules.
"""

from twinloop.scheduling.settings import Product, ScheduleSettings, ShopMachine, ShopSettings, Step

__all__ = ["Product", "ScheduleSettings", "ShopMachine", "ShopSettings", "Step"]
