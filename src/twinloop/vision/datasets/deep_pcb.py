"""DeepPCB (Tang et al. 2019): a template without defects and a tested image of the same place, with boxes.

    group00041/00041/00041000_temp.jpg   the template, which is a good image
    group00041/00041/00041000_test.jpg   the tested image
    group00041/00041_not/00041000.txt    x1 y1 x2 y2 class, one defect a row; class 1 … 6
    trainval.txt  test.txt               the division that came with the data

The two images of a pair show one place and belong together.
"""

from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.reading import read_lines
from twinloop.vision.datasets.regions import BOX_TRUTH, Region, marked_sample, several_classes
from twinloop.vision.datasets.samples import Collection, Refused, Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings

LOOKS_FOR = "group*/*/N_temp.jpg, N_test.jpg and group*/*_not/N.txt (x1 y1 x2 y2 class)"
CLASSES = {"1": "open", "2": "short", "3": "mousebite", "4": "spur", "5": "copper", "6": "pin-hole"}
LISTS = {"trainval.txt": "train", "test.txt": "test"}
TEST, TEMPLATE, BOXES = "_test", "_temp", "_not"


def locate(source: Path) -> Path | None:
    """The folder that holds the groups, which the repository keeps in PCBData."""
    root = tree.inner(source, lambda folder: bool(_boards(folder) or _boards(folder / "PCBData")))
    return root if root is None or _boards(root) else root / "PCBData"


def deep_pcb(source: Path, settings: DatasetSettings) -> Collection:
    """All pairs of all groups. Raises InputError where nothing fits the layout."""
    root = tree.expected(locate(source), source, LOOKS_FOR)
    division_of = {
        line.partition(" ")[0].rpartition("/")[2].partition(".")[0]: division
        for name, division in LISTS.items()
        if (root / name).is_file()
        for line in (root / name).read_text(encoding="utf-8", errors="replace").splitlines()
    }
    samples: list[Sample] = []
    strays: list[tuple[str, str]] = []
    marked = []
    for board in _boards(root):
        for path in tree.images(board, deep=False):
            file = path.relative_to(root).as_posix()
            pair, underscore, end = path.stem.rpartition("_")
            role = underscore + end
            if role not in (TEST, TEMPLATE):
                strays.append((file, f"expected a name that ends in {TEMPLATE} or {TEST}"))
                continue
            regions: list[Region] = []
            try:
                if role == TEST:
                    regions = _boxes(board.with_name(board.name + BOXES) / f"{pair}.txt")
            except Refused as refused:
                strays.append((file, refused.for_operator))
                continue
            marked.append(regions)
            group = f"{board.relative_to(root).as_posix()}/{pair}"
            division = division_of.get(pair, "")
            samples.append(marked_sample(path, regions, settings, name=file, group=group, division=division))
    notes = (
        BOX_TRUTH,
        "Template and tested image of a pair form one part; pairs cut from one board may resemble each other.",
        *several_classes(marked),
    )
    text = "DeepPCB (Tang et al. 2019), https://github.com/tangsanli5201/DeepPCB: for research purposes only."
    return Collection(tuple(samples), tree.origin(root, text), notes, tuple(strays))


def _boards(root: Path) -> list[Path]:
    """Folders of pairs: group*/N beside group*/N_not."""
    return [
        path
        for group in tree.folders(root)
        if group.name.lower().startswith("group")
        for path in tree.folders(group)
        if path.with_name(path.name + BOXES).is_dir()
    ]


def _boxes(path: Path) -> list[Region]:
    """The defects of one tested image. Raises Refused with file and row."""
    regions = []
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.replace(",", " ").split()
        if not cells:
            continue
        where = f"{path.name}:{number}"
        try:
            left, top, right, bottom, kind = cells
            box = (float(left), float(top), float(right), float(bottom))
        except ValueError:
            raise Refused(f"{where}: expected x1 y1 x2 y2 class, found {printable(line)[:60]!r}") from None
        if kind not in CLASSES:
            raise Refused(f"{where}: expected a class from 1 to 6, found {printable(kind)[:20]!r}")
        regions.append(Region(CLASSES[kind], box, where=where))
    return regions
