"""Fits any LightningModule: epoch by epoch, early stopping, the best weights kept, and a run that survives its death.

After each epoch a checkpoint appears in the state folder under a name that carries its own digest; the newest whole
one is where a rerun goes on. torch's random state is set from (seed, epoch) at each epoch's start instead of being
saved, so a resumed run repeats the uninterrupted one exactly on a CPU, given batches that depend on the epoch alone.
With averaged weights (`ema`), these are what is validated and kept; the plain ones go on being trained.
"""

import logging
import math
import os
import pickle
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.profilers import AdvancedProfiler, Profiler, SimpleProfiler
from torch import Tensor
from torch.utils.data import DataLoader

from twinloop.errors import InputError, RunError
from twinloop.files import fingerprint, sha256
from twinloop.learning.averaging import WeightAverage
from twinloop.learning.settings import FitSettings
from twinloop.numbers import coarse
from twinloop.progress import Bar, bar, say

STATE_FORMAT = 2
KEPT = 2
DIGITS = 16
PROFILERS: dict[str, type[Profiler]] = {"simple": SimpleProfiler, "advanced": AdvancedProfiler}
# What cuBLAS wants to be told, before it starts, to add up in one order.
CUBLAS_WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
Figures = dict[str, float]
NOISE = (
    ".*does not have many workers.*",
    ".*GPU available but not used.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    # Said of a foreign file just before it is refused.
    "Detected pickle protocol.*",
    # The optimiser's first step under 16-mixed may be skipped while the loss scale settles.
    "Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`.*",
)


@dataclass(frozen=True)
class Fitted:
    """What a fit came to: the figures of every epoch, the kept epoch (from 0) and where a resumed run went on."""

    history: tuple[Figures, ...]
    best_epoch: int
    resumed_at: int

    @property
    def best(self) -> Figures:
        return self.history[self.best_epoch]


class _Keeper(Checkpoint):
    """Watches the monitored figure, keeps the best or the last weights, stops early, writes checkpoints, reports."""

    def __init__(
        self,
        settings: FitSettings,
        *,
        monitor: str,
        seed: int,
        state: Path | None,
        show: str | None,
        shown: Bar | None,
        on_epoch: Callable[[int, Figures], None] | None,
    ) -> None:
        self.settings, self.monitor, self.seed, self.state = settings, monitor, seed, state
        self.show, self.shown, self.on_epoch = show, shown, on_epoch
        self.history: list[Figures] = []
        self.best_epoch = -1
        self.best_weights: dict[str, Tensor] = {}
        self.average = WeightAverage(settings.ema) if settings.ema else None
        self._saved_average: dict[str, Tensor] = {}
        self._steps = 0
        self._validating = ExitStack()

    @property
    def finished(self) -> bool:
        waited = len(self.history) - 1 - self.best_epoch
        return len(self.history) >= self.settings.epochs or (self.best_epoch >= 0 and waited >= self.settings.patience)

    def state_dict(self) -> dict[str, Any]:
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
            "average": self.average.weights if self.average is not None else {},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history, self.best_epoch = list(state_dict["history"]), state_dict["best_epoch"]
        self.best_weights = dict(state_dict["best_weights"])
        self._saved_average = dict(state_dict["average"])

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self._steps = trainer.global_step
        if self.average is not None and self._saved_average:
            self.average.load(self._saved_average, like=pl_module)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            torch.manual_seed(int(fingerprint([self.seed, trainer.current_epoch])[:15], 16))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        loss = outputs["loss"]
        # On an accelerator this would wait for every step; there the epoch's mean is looked at instead.
        if loss.device.type == "cpu" and not math.isfinite(loss.item()):
            self._diverged(trainer.current_epoch)
        if self.average is not None and trainer.global_step > self._steps:
            self._steps = trainer.global_step
            self.average.update(pl_module, step=self._steps)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        if self.average is not None:
            self._validating.enter_context(self.average.inside(pl_module))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self._validating.close()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        # As a Checkpoint, Lightning calls this after the module's own hook, so all its figures are there. One process
        # speaks for all: the others' figures differ in the last digits, and all must stop at the same epoch.
        epoch = len(self.history)
        mine = {name: float(value) for name, value in trainer.callback_metrics.items()}
        figures = trainer.strategy.broadcast(mine)
        if any(not math.isfinite(value) for value in figures.values()):
            self._diverged(epoch)
        if self.monitor not in figures:
            raise ValueError(f"the module logs {sorted(figures)}, not the monitored {self.monitor!r}")
        self.history.append(figures)
        # Compared coarsely, of equal ones the earlier: the last digits of another processor choose no other epoch.
        better = self.best_epoch < 0 or coarse(figures[self.monitor]) > coarse(
            self.history[self.best_epoch][self.monitor]
        )
        if better or self.settings.keep == "last":
            self.best_epoch = epoch
            kept = self.average.weights if self.average is not None else pl_module.state_dict()
            self.best_weights = {name: value.detach().cpu().clone() for name, value in kept.items()}
        if self.state is not None:
            _write_checkpoint(trainer, self.state, epoch)
        if self.shown is not None:
            name = self.show or self.monitor
            self.shown.step(note=f"{name.replace('_', ' ')} {figures[name]:.3f}")
        if self.on_epoch is not None and trainer.is_global_zero:
            self.on_epoch(epoch, figures)
        if self.finished:
            trainer.should_stop = True

    def _diverged(self, epoch: int) -> None:
        kept = f"; the state after epoch {epoch} is kept in {self.state}" if self.state is not None and epoch else ""
        raise RunError(f"train: the loss is not a finite number in epoch {epoch + 1}{kept}; lower the learning rate")


def one_cycle(module: torch.nn.Module, *, learning_rate: float, weight_decay: float, steps: int) -> dict[str, Any]:
    """AdamW (Loshchilov and Hutter, 2019) under one cycle of the learning rate over all steps (Smith and Topin, 2018),
    as `configure_optimizers` of a LightningModule gives them.
    """
    optimiser = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def one_batch() -> DataLoader[int]:
    """A loader of one batch, of nothing: for a validation step that looks at all that is held out at once.

    A list would be taken for as many loaders as it has elements.
    """
    return DataLoader([0], batch_size=None)  # type: ignore[arg-type]


def fit(
    module: lightning.LightningModule,
    settings: FitSettings,
    *,
    monitor: str,
    seed: int,
    state: Path | None = None,
    profile: Path | None = None,
    show: str | None = None,
    on_epoch: Callable[[int, Figures], None] | None = None,
) -> Fitted:
    """Fit `module` on its own dataloaders and leave the kept epoch's weights in it.

    `monitor` is a logged figure, the larger the better; `show` the one beside the progress bar (None: no bar).
    `state` is a folder for this very run (its name should hold a fingerprint of everything that matters): a rerun
    goes on from its newest whole checkpoint; `discard` removes it once the results are safe. `profile` is a folder for
    the profiler's text file. `on_epoch` is told each epoch's figures and may end the run by raising.
    torch's thread count is set for the whole process, as its seed is.
    Raises RunError if the loss stops being finite, InputError for a checkpoint that may not be loaded.
    """
    with _quiet(), bar("epoch", settings.epochs) if show else nullcontext() as shown:
        keeper = _Keeper(settings, monitor=monitor, seed=seed, state=state, show=show, shown=shown, on_epoch=on_epoch)
        checkpoint = newest_checkpoint(state) if state is not None else None
        if checkpoint is not None:
            keeper.load_state_dict(_read_checkpoint(checkpoint, module)["callbacks"][keeper.state_key])
            say(f"train: going on after epoch {len(keeper.history)}, found in {state}")
            if shown is not None:
                shown.step(len(keeper.history))
        resumed_at = len(keeper.history)
        if not keeper.finished:
            _run(module, settings, keeper, checkpoint=checkpoint, profile=profile)
    module.load_state_dict(keeper.best_weights)
    module.eval()
    return Fitted(history=tuple(keeper.history), best_epoch=keeper.best_epoch, resumed_at=resumed_at)


def _run(
    module: lightning.LightningModule,
    settings: FitSettings,
    keeper: _Keeper,
    *,
    checkpoint: Path | None,
    profile: Path | None,
) -> None:
    torch.manual_seed(keeper.seed)
    torch.set_num_threads(settings.threads)
    on_cpu = settings.accelerator == "cpu" or (settings.accelerator == "auto" and not torch.cuda.is_available())
    if settings.deterministic and not on_cpu:
        os.environ.setdefault(*CUBLAS_WORKSPACE)
    trainer = lightning.Trainer(
        max_epochs=settings.epochs,
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=settings.strategy,
        precision=_precision(settings, on_cpu=on_cpu),
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.gradient_clip or None,
        profiler=_profiler(settings, profile),
        callbacks=[keeper],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    with _deterministic(warn_only=not on_cpu) if settings.deterministic else nullcontext():
        trainer.fit(module, ckpt_path=checkpoint, weights_only=True)


def _precision(settings: FitSettings, *, on_cpu: bool) -> Any:
    if settings.precision == "16-mixed" and on_cpu:
        say("train: precision 16-mixed needs a GPU, there is none: training in 32 bits")
        return "32-true"
    return settings.precision


def _profiler(settings: FitSettings, folder: Path | None) -> Profiler | None:
    if settings.profiler == "none" or folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    say(f"train: where the time goes is written to {folder}")
    return PROFILERS[settings.profiler](dirpath=folder, filename=settings.profiler)


def newest_checkpoint(state: Path) -> Path | None:
    """The newest checkpoint whose content is what its name says; damaged ones are named on stderr and removed."""
    for path in sorted(state.glob("*-*.ckpt"), reverse=True):
        if sha256(path)[:DIGITS] == path.stem.rpartition("-")[2]:
            return path
        say(f"train: {path}: damaged (the run was cut off while writing it); the one before it is used")
        path.unlink()
    return None


def discard(state: Path) -> None:
    """Remove a run's state folder, if there is one."""
    shutil.rmtree(state, ignore_errors=True)


def _write_checkpoint(trainer: Any, state: Path, epoch: int) -> None:
    state.mkdir(parents=True, exist_ok=True)
    writing = state / "writing.tmp"
    try:
        trainer.save_checkpoint(writing)
        if not trainer.is_global_zero:
            return
        with writing.open("rb") as stream:
            os.fsync(stream.fileno())
        writing.replace(state / f"{epoch:05d}-{sha256(writing)[:DIGITS]}.ckpt")
    finally:
        if trainer.is_global_zero:
            writing.unlink(missing_ok=True)
    for old in sorted(state.glob("*-*.ckpt"))[:-KEPT]:
        old.unlink()


def _read_checkpoint(path: Path, module: lightning.LightningModule) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{path}: expected a checkpoint of this training, got one that may run code when read or none of ours; "
            f"remove {path.parent} to start afresh"
        ) from error
    if content.get("callbacks", {}).keys() != {_Keeper.__qualname__}:
        raise InputError(f"{path}: not a checkpoint of this training; remove {path.parent} to start afresh")
    expected, came = (
        {name: tuple(value.shape) for name, value in weights.items()}
        for weights in (module.state_dict(), content["state_dict"])
    )
    different = sorted(dict(expected.items() ^ came.items()))
    if different:
        first = different[0]
        raise InputError(
            f"{path}: a checkpoint of another model: {len(different)} weights differ, first {first}: expected shape "
            f"{expected.get(first)}, got {came.get(first)}; remove {path.parent} to start afresh"
        )
    return content


@contextmanager
def _deterministic(*, warn_only: bool) -> Iterator[None]:
    flags: Any = torch.utils.deterministic
    before, filled = torch.are_deterministic_algorithms_enabled(), flags.fill_uninitialized_memory
    # A GPU lacks a few such kernels; torch then names them and goes on.
    torch.use_deterministic_algorithms(True, warn_only=warn_only)
    # Filling fresh memory finds bugs of kernels; it costs time and changes no result.
    flags.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        flags.fill_uninitialized_memory = filled


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advice off the screen; its errors and every other warning pass."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in NOISE:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
