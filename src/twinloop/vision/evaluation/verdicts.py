"""What an explanation's scores say of it: the words for the report, apart from the code that needs a detector."""

import polars as pl

BLOB, RANDOM = "centre_blob", "random"
BASELINES = (BLOB, RANDOM)
# What each score is multiplied by so that larger is better.
MEASURES = {"pointing": 1, "energy": 1, "deletion": -1, "insertion": 1}
BETTER, NO_BETTER = "better than a blob in the middle", "no better than a blob in the middle"


def verdicts(scores: pl.DataFrame) -> dict[str, str]:
    """Per method whether it explains better than a blob in the middle, and in which scores it does not."""
    result = {}
    for method in scores["method"].unique(maintain_order=True):
        rows = scores.filter((pl.col("method") == method) & (pl.col("baseline") == BLOB))
        failed = rows.filter(pl.col("difference_low") <= 0)["measure"].to_list()
        if method in BASELINES or rows.is_empty():
            continue
        result[method] = (
            BETTER if not failed else NO_BETTER if len(failed) == len(rows) else f"{NO_BETTER} in {', '.join(failed)}"
        )
    return result
