"""Files of a source that no sample uses: counted and said, so that nothing is skipped in silence."""

from collections import Counter
from pathlib import Path

from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, Collection
from twinloop.vision.datasets.settings import DatasetSettings

# Annotations, lists and notes: read where a layout reads them, and told as strays where one should have.
TEXTS = frozenset({"", ".txt", ".md", ".json", ".xml", ".csv", ".tsv", ".xlsx", ".yaml", ".yml", ".pdf", ".log"})
SHOWN = 4


def left_over(root: Path, collection: Collection, settings: DatasetSettings) -> tuple[str, ...]:
    """Sentences on files that are no image, counted by ending, and on images that the layout passes by, by folder."""
    used = {sample.path for sample in collection.samples}
    used.update(mask for sample in collection.samples for mask in sample.masks)
    used.update(root / name for name, _ in collection.strays)
    endings, places = Counter[str](), Counter[str]()
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if any(part.startswith((".", "__MACOSX")) for part in relative.parts) or path in used:
            continue
        ending = path.suffix.lower()
        if ending in IMAGE_SUFFIXES:
            places[relative.parts[0] if len(relative.parts) > 1 else "."] += path.is_file()
        elif ending not in TEXTS and path.is_file():
            endings[ending] += 1
    told = []
    if endings:
        counts = ", ".join(f"{count} × {ending}" for ending, count in endings.most_common(SHOWN))
        told.append(f"skipped, no ending of an image that is read: {counts}.")
    # One category of several is chosen on purpose; layouts that list images say themselves which they do not.
    if places and not settings.category:
        counts = ", ".join(f"{count} in {place}" for place, count in places.most_common(SHOWN))
        told.append(f"skipped, images that no part of the layout holds: {counts}.")
    return tuple(told)
