"""What a source of images without a known layout comes near to, and what to do so that it is read."""

from collections import Counter
from itertools import islice
from pathlib import Path

from twinloop.vision.datasets import tree
from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, printable

# Files looked at: enough to know a kind, few enough for any folder.
LOOKED_AT = 20_000
LABELS = {".txt": "YOLO", ".json": "COCO or LabelMe", ".xml": "VOC", ".csv": "a table", ".xlsx": "a table"}


def near(source: Path) -> tuple[str, ...]:
    """Sentences on images and labels below the folder `source`; none where it holds no image."""
    files = [path for path in islice(source.rglob("*"), LOOKED_AT) if path.is_file() and not path.name.startswith(".")]
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        return ()
    places = Counter(path.parent.relative_to(source).as_posix() for path in images)
    shown = ", ".join(f"{count} in {printable(place)}" for place, count in places.most_common(3))
    told = [f"{len(images)} images ({shown})"]
    labels = Counter(path.suffix.lower() for path in files if path.suffix.lower() in LABELS)
    for ending, count in labels.most_common():
        stems = {tree.stem(path) for path in files if path.suffix.lower() == ending}
        paired = sum(tree.stem(path) in stems for path in images)
        if ending in (".csv", ".xlsx"):
            told.append(f"{count} × {ending}: a table needs a column of file names as they lie here and one of classes")
        elif paired:
            told.append(f"{count} × {ending}, {paired} named like an image: {LABELS[ending]} by name, not by content")
        else:
            told.append(f"{count} × {ending}, none named like an image: labels bear the names of their images")
    if not labels:
        told.append(
            "nothing says which are good: put them into good/ and a folder for each kind of defect, or list them in "
            "labels.csv with the columns file,label; masks beside them (7_mask.png) tell it as well"
        )
    return tuple(told)
