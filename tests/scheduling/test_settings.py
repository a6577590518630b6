from pathlib import Path
from typing import Any

import pytest
import yaml

from twinloop.config import Invalid, parse
from twinloop.scheduling import ScheduleSettings, ShopSettings

SHOP: dict[str, Any] = {
    "machines": [{"name": "mill"}],
    "products": [{"name": "plate", "routing": [{"machine": "mill"}]}],
}
BAD_SHOP: dict[str, tuple[dict[str, Any], str]] = {
    "unknown machine": (
        {"products": [{"name": "plate", "routing": [{"machine": "mil"}]}]},
        "product plate step 0: expected one of the machines mill, got 'mil'",
    ),
    "twin machines": ({"machines": [{"name": "mill"}, {"name": "mill"}]}, "expected machines with different names"),
    "no machines": ({"machines": []}, "expected machines with different names"),
    "no products": ({"products": []}, "expected products with different names"),
    "empty routing": ({"products": [{"name": "plate", "routing": []}]}, "expected a routing of at least one step"),
    "quantities crossed": (
        {"smallest_quantity": 9, "largest_quantity": 5},
        "expected smallest_quantity ≤ largest_quantity",
    ),
    "no weights": ({"weights": []}, "expected at least one weight"),
    "zero weight": ({"weights": [0]}, "weights.0 = 0"),
    "no orders": ({"orders": 0}, "orders = 0"),
    "promise before the work can be done": ({"due_tightness": 0.9}, "due_tightness = 0.9"),
    "no repair time": (
        {"machines": [{"name": "mill", "mean_time_to_failure_min": 10.0, "mean_repair_min": 0.0}]},
        "machines.0.mean_repair_min = 0.0",
    ),
    "unknown key": ({"order": 3}, "did you mean 'orders'?"),
}
BAD_SCHEDULE: dict[str, tuple[dict[str, Any], str]] = {
    "unknown method": ({"method": "cpsat"}, "method = 'cpsat'"),
    "unknown rule": ({"rules": ["SPT", "XYZ"]}, "rules.1 = 'XYZ'"),
    "a rule twice": ({"rules": ["SPT", "SPT"]}, "expected at least one rule and none twice"),
    "no rules": ({"rules": []}, "expected at least one rule"),
    "one replication": ({"replications": 1}, "replications = 1"),
    "no limit": ({"deterministic_limit": 0.0}, "deterministic_limit = 0.0"),
    "delay above 1": ({"delay": 1.5}, "delay = 1.5"),
    "tail of everything": ({"tail": 1.0}, "tail = 1.0"),
}


@pytest.mark.parametrize(("change", "message"), BAD_SHOP.values(), ids=BAD_SHOP.keys())
def test_a_bad_shop_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(ShopSettings, SHOP | change)
    assert message in str(caught.value)


@pytest.mark.parametrize(("change", "message"), BAD_SCHEDULE.values(), ids=BAD_SCHEDULE.keys())
def test_a_bad_schedule_section_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(ScheduleSettings, change)
    assert message in str(caught.value)


def test_the_committed_options_fit_their_settings(repository: Path) -> None:
    for schema, section in ((ShopSettings, "shop"), (ScheduleSettings, "schedule")):
        for path in sorted((repository / "conf/factory" / section).glob("*.yaml")):
            parse(schema, yaml.safe_load(path.read_text()))
