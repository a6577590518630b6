"""A folder of later images held against the reference, window by window in the order of their names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.learning.drift import DriftAlarm, Window
from twinloop.learning.drift_settings import DriftSettings
from twinloop.progress import bar
from twinloop.vision.datasets.samples import Refused, printable
from twinloop.vision.inference.folder import BATCH, image_files
from twinloop.vision.inference.pictures import read_picture
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.monitoring.monitor import PictureMonitor
from twinloop.vision.monitoring.reference import DriftReference


@dataclass(frozen=True)
class Checked:
    """What came of it: every window's comparison; unreadable: (file, reason) of those that were left out."""

    windows: tuple[Window, ...]
    images: int
    unreadable: tuple[tuple[str, str], ...]

    @property
    def alarms(self) -> tuple[DriftAlarm, ...]:
        """Those of all windows, in order."""
        return tuple(alarm for window in self.windows for alarm in window.alarms)

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "images": self.images,
            "unreadable": [{"image": name, "reason": reason} for name, reason in self.unreadable],
            "windows": [
                {"number": window.number, "images": window.count, "sizes": window.sizes, "p_values": window.p_values}
                for window in self.windows
            ],
            "alarms": [dict(vars(alarm)) for alarm in self.alarms],
        }


def check_folder(
    detector: DeployedDetector, reference: DriftReference, source: str | Path, *, settings: DriftSettings
) -> Checked:
    """Judge and compare every image in a folder and below; what is left over makes a last, smaller window.

    Raises InputError where there is no image that can be read, or the reference is another model's.
    """
    if reference.model != detector.backend.about.model:
        raise InputError(
            f"drift: the reference was measured on graph {reference.model[:12]}, this is "
            f"{detector.backend.about.model[:12]}: run the evaluate stage again"
        )
    files = image_files(source)
    monitor = PictureMonitor(reference, settings)
    unreadable: list[tuple[str, str]] = []
    with bar("image", len(files)) as shown:
        for start in range(0, len(files), BATCH):
            images = []
            for file in files[start : start + BATCH]:
                try:
                    images.append(read_picture(file))
                except Refused as refused:
                    unreadable.append((printable(file.name), str(refused)))
            monitor.watch(images, detector.predict_batch(images))
            shown.step(min(BATCH, len(files) - start))
    monitor.finish()
    if not monitor.windows:
        name, reason = unreadable[0]
        raise InputError(f"drift: none of {len(files)} image(s) can be read; {name}: {reason}")
    return Checked(tuple(monitor.windows), len(files) - len(unreadable), tuple(unreadable))
