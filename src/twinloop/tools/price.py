"""Price any model's errors on a line: what its threshold earns, which one earns most, what to change first; a page.

SCORES is a CSV or XLSX file with a row per look at a part: the true class, the score or probability, and where known
the part or image, a second look, the latency, the split. Columns are known by their usual names. Nothing is trained.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from twinloop.errors import InputError
from twinloop.progress import say

if TYPE_CHECKING:
    from twinloop.simulation.pricing.pricing import Priced

EXAMPLE = (
    "python -m twinloop price scores.csv --line conf/factory/line/assembly.yaml "
    "--economy conf/factory/economy/default.yaml"
)
SEED = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("scores", type=Path, help="the model's scores with the truth: .csv, .tsv or .xlsx")
    parser.add_argument("--line", type=Path, required=True, help="the line's YAML; one of its stations inspects")
    parser.add_argument("--economy", type=Path, required=True, help="the prices' YAML")
    parser.add_argument("--good", metavar="NAME", help="the class without a defect, where its name does not tell")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="WHAT=NAME",
        help="a column by name: truth, score, probability, part, image, second, latency or split",
    )
    parser.add_argument("--today", type=float, metavar="SCORE", help="from which parts are rejected now")
    parser.add_argument("--defect-rate", type=float, metavar="SHARE", help="of the line's parts (default: the line's)")
    parser.add_argument("--experiment", type=Path, metavar="YAML", help="days, replications and levers to try")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, metavar="PAGE", help="default: SCORES_price.html beside the file")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Read, price, print and write the page."""
    import joblib

    from twinloop.config import parse_file
    from twinloop.reporting.price_page import write_price_page
    from twinloop.simulation import Economy, ExperimentSettings, Line
    from twinloop.simulation.pricing.pricing import price
    from twinloop.simulation.pricing.scores import read_scores

    page = options.out or options.scores.with_name(f"{options.scores.stem}_price.html")
    if page.suffix != ".html":
        raise InputError(f"price: --out {page}: expected a file name that ends in .html")
    line = Line.from_yaml(options.line)
    economy = parse_file(Economy, options.economy, name="economy", remedy="give the path of the prices' YAML")
    experiment = options.experiment and parse_file(
        ExperimentSettings, options.experiment, name="experiment", remedy="give the path of its YAML"
    )
    scores = read_scores(options.scores, columns=_columns(options.column), good=options.good)
    say(f"read       {options.scores.name}: {scores.summary}")
    priced = price(
        scores,
        line,
        economy,
        today=options.today,
        defect_rate=options.defect_rate,
        experiment=experiment,
        seed=options.seed,
        workers=joblib.cpu_count(),
    )
    print(json.dumps(priced.record(), ensure_ascii=False, allow_nan=False) if options.json else _lines(priced))
    write_price_page(page, priced, name=options.scores.name, line=line.name)
    say(f"wrote      {page}")
    return 0


def _columns(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (_, sign, name) in zip(given, pairs, strict=True) if not (sign and name)]:
        raise InputError(f"price: --column {wrong[0]}: expected WHAT=NAME, as truth=Befund")
    return {role: name for role, _, name in pairs}


def _lines(priced: "Priced") -> str:
    from twinloop.reporting.price_page import levers_of, points_line

    notes = [f"assumed    {note}" for note in priced.notes]
    return "\n".join([priced.answer["sentence"], points_line(priced), *notes, "", str(levers_of(priced))])
