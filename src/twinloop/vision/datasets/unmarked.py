"""Images that have no annotation where others have one: good parts, or never looked at? That is asked, not assumed.

Where other images are annotated as empty, those without annotation are left out: who marks good parts would have
marked them. Where none is, `DatasetSettings.unmarked` says what they are.
"""

from collections.abc import Sequence
from pathlib import Path

from twinloop.errors import InputError
from twinloop.vision.datasets.masks import masked_sample
from twinloop.vision.datasets.parts import part_in_name
from twinloop.vision.datasets.samples import Sample, printable
from twinloop.vision.datasets.settings import DatasetSettings
from twinloop.vision.datasets.tree import division
from twinloop.vision.index import GOOD

Strays = tuple[tuple[str, str], ...]


def read_unmarked(
    root: Path, images: Sequence[Path], marked: Sequence[Sample], what: str, settings: DatasetSettings
) -> tuple[tuple[Sample, ...], Strays, tuple[str, ...]]:
    """What the `images` below `root` without `what` (mask, annotation) become: good samples, or strays; and a note.

    marked: the samples that have one. Raises InputError where it must be asked.
    """
    if not images:
        return (), (), ()
    names = [path.relative_to(root).as_posix() for path in images]
    if settings.unmarked == "good":
        samples = tuple(
            masked_sample(
                path,
                (),
                GOOD,
                settings,
                name=name,
                group=part_in_name(path, settings) or name,
                division=division(path.relative_to(root)),
            )
            for path, name in zip(images, names, strict=True)
        )
        return samples, (), (f"{len(images)} images without {what} count as good (DatasetSettings.unmarked).",)
    if settings.unmarked == "asked" and not any(sample.label == GOOD for sample in marked):
        raise InputError(
            f"data: {printable(str(root))}: {len(images)} images have no {what} and no {what} is empty "
            f"(first {printable(names[0])}): are they good parts? DatasetSettings.unmarked=good or =left_out says"
        )
    return (), tuple((name, f"has no {what}") for name in names), ()
