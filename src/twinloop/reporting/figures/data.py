"""What the images look like and how they are divided: the first thing to look at, before any model."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twinloop.palette import BLUE, GREY, INK, ORANGE, RED, SKY
from twinloop.reporting.style import PHOTOGRAPH_PIXELS_PER_INCH, Picture, drawn, log_scale, picture, single

if TYPE_CHECKING:
    from twinloop.vision.synthetic.surfaces import Photograph

SPLIT_COLOURS = {"train": BLUE, "val": SKY, "test": ORANGE}


@drawn
def contact_sheet(
    images: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    *,
    titles: Sequence[str],
    columns: int = 6,
) -> Picture:
    """Example images with the outline of their marked defects.

    images: [N, H, W, C]; masks: [N, H, W] in {0, 1}; titles: N short texts.
    """
    rows = max(-(-len(images) // columns), 1)
    figure = picture(7.8, 1.52 * rows + 0.1)
    figure.pixels_per_inch = PHOTOGRAPH_PIXELS_PER_INCH
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        bare(axes)
        if place < len(images):
            show_image(axes, images[place])
            outline(axes, masks[place])
            axes.set_title(shortened(titles[place], 18), fontsize=8.5, fontweight="normal", loc="center", pad=3)
        else:
            axes.set_visible(False)
    figure.alt = f"{len(images)} example images, defects outlined in red: {', '.join(sorted(set(titles)))}"
    return figure


def surface_sheet(photographs: Iterable["Photograph"], *, columns: int = 6) -> Picture:
    """Rendered surfaces with the outline of their defects (see `twinloop.vision.synthetic.surfaces.photographs`)."""
    shown = [(photograph.part.label, *photograph.render()) for photograph in photographs]
    images = np.stack([np.atleast_3d(image) for _, image, _ in shown])
    masks = np.stack([mask.astype(np.uint8) for _, _, mask in shown])
    return contact_sheet(images, masks, titles=[label for label, _, _ in shown], columns=columns)


@drawn
def class_split_bars(index: pl.DataFrame) -> Picture:
    """Images per class and split, counted; index has the columns label and split."""
    counts = index.group_by("label", "split").len()
    classes = sorted(set(index["label"]), key=lambda name: (name != "good", name))
    splits = [split for split in SPLIT_COLOURS if split in set(index["split"])]
    table = {(row["label"], row["split"]): row["len"] for row in counts.iter_rows(named=True)}
    figure, axes = single(7.8, 0.45 * len(classes) + 1.5)
    left = np.zeros(len(classes))
    for split in splits:
        widths = np.array([table.get((name, split), 0) for name in classes], dtype=float)
        axes.barh(range(len(classes)), widths, left=left, color=SPLIT_COLOURS[split], label=split, height=0.68)
        left += widths
    for place, total in enumerate(left):
        axes.annotate(
            f"{total:.0f}", (total, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9.5
        )
    axes.set_yticks(range(len(classes)), [shortened(name, 24) for name in classes])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.08)
    axes.set_xlabel("images (number)")
    axes.set_title("Images per class and split")
    figure.legend(loc="outside lower center", ncols=len(splits))
    totals = {split: index.filter(pl.col("split") == split).height for split in splits}
    figure.alt = f"Images per class: {dict(zip(classes, map(int, left), strict=True))}; per split: {totals}"
    return figure


@drawn
def defect_sizes(shares: dict[str, NDArray[np.float64]]) -> Picture:
    """How large the marked defects are: per class the share of the image's area, on a logarithmic axis."""
    classes = sorted(shares)
    figure, axes = single(7.8, 0.45 * len(classes) + 1.3)
    for place, name in enumerate(classes):
        values = 100 * np.sort(shares[name])
        # Spread by rank, not by chance: the same data gives the same picture.
        offset = ((np.arange(len(values)) * 0.618) % 1 - 0.5) * 0.5
        axes.scatter(values, place + offset, s=9, color=SKY, alpha=0.55, linewidths=0)
        if len(values):
            axes.plot([np.median(values)] * 2, [place - 0.34, place + 0.34], color=INK, linewidth=2)
    log_scale(axes.xaxis)
    axes.set_yticks(range(len(classes)), [shortened(name, 24) for name in classes])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("defect area (% of the image; line: median)")
    axes.set_title("How large the defects are")
    medians = {name: round(float(100 * np.median(v)), 2) for name, v in shares.items() if len(v)}
    figure.alt = f"Defect area per class, median in percent of the image: {medians}"
    return figure


def show_image(axes: Axes, image: NDArray[np.uint8]) -> None:
    """Draw an image [H, W, C] with 1 or 3 channels."""
    grey = image.shape[-1] == 1
    axes.imshow(image[..., 0] if grey else image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def outline(axes: Axes, mask: NDArray[np.uint8]) -> None:
    """Draw the border of a mask [H, W] in {0, 1}, dark below light so that it shows on any surface."""
    if mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], colors="white", linewidths=1.8)
        axes.contour(mask, levels=[0.5], colors=RED, linewidths=1.0)


def shortened(text: str, length: int) -> str:
    """A name short enough for its place; the middle goes, because ends tell names apart."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[-half:]}"


def bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(GREY)
        spine.set_linewidth(0.5)
