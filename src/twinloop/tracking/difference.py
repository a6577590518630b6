"""What an execution's row adds to its name, so that two that differ in one value do not look alike."""

from collections.abc import Mapping

from twinloop.tracking import view
from twinloop.tracking.execution import Execution
from twinloop.tracking.store import Store

SHOWN = 2


def difference(store: Store, execution: Execution, params: Mapping[str, str]) -> str:
    """` · name=value` for the parameters in which this execution differs from the finished one before it; or nothing.

    params: by dotted path; what the earlier row does not hold is left out.
    """
    earlier = _before(store, execution)
    changed = [path for path, value in params.items() if path in earlier and earlier[path] != value]
    # A profile says in one word what its many values are.
    shown = ["profile"] if "profile" in changed else changed[:SHOWN]
    more = f" +{len(changed) - len(shown)}" if len(changed) > len(shown) and shown != ["profile"] else ""
    named = ", ".join(f"{path.rpartition('.')[2]}={params[path]}" for path in shown)
    return f" · {named}{more}" if named else ""


def _before(store: Store, execution: Execution) -> dict[str, str]:
    """The parameters of the execution that finished last before this one began."""
    begun = store.client.get_run(execution.run_id).info.start_time
    rows = store.client.search_runs(
        [execution.experiment_id],
        filter_string=f"tags.{view.LEVEL} = '{view.EXECUTION}' and attributes.status = 'FINISHED' "
        f"and attributes.start_time < {begun}",
        max_results=1,
        order_by=["attributes.start_time DESC"],
    )
    return dict(rows[0].data.params) if rows else {}
