import dataclasses
import pickle
import warnings
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.learning.regression import Regression
from twinloop.errors import InputError, RunError
from twinloop.files import sha256
from twinloop.learning.fit import Fitted, discard, fit, newest_checkpoint, one_batch
from twinloop.learning.settings import FitSettings

SETTINGS = FitSettings(epochs=6, patience=6, accelerator="cpu")


class PowerCut(Exception):
    pass


def _fit(module: Regression, state: Path | None = None, *, cut_after: int | None = None, **changes: Any) -> Fitted:
    def cut(epoch: int, figures: dict[str, float]) -> None:
        if epoch == cut_after:
            raise PowerCut

    return fit(module, dataclasses.replace(SETTINGS, **changes), monitor="score", seed=7, state=state, on_epoch=cut)


def _cut_off(state: Path, *, after: int, **changes: Any) -> None:
    with pytest.raises(PowerCut):
        _fit(Regression(), state, cut_after=after, **changes)


def _same(one: Regression, other: Regression) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("after", range(5))
def test_a_resumed_run_ends_exactly_like_an_uninterrupted_one(tmp_path: Path, after: int) -> None:
    whole, resumed = Regression(), Regression()
    expected = _fit(whole, tmp_path / "whole")
    _cut_off(tmp_path / "cut", after=after)
    found = _fit(resumed, tmp_path / "cut")
    assert found.history == expected.history
    assert (found.best_epoch, found.resumed_at) == (expected.best_epoch, after + 1)
    assert _same(whole, resumed)


@pytest.mark.parametrize("changes", [{"ema": 0.9}, {"accumulate": 3}, {"ema": 0.9, "accumulate": 2}])
@pytest.mark.parametrize("after", [0, 3])
def test_averages_and_accumulated_steps_survive_a_cut(tmp_path: Path, changes: dict[str, Any], after: int) -> None:
    whole, resumed = Regression(), Regression()
    expected = _fit(whole, **changes)
    _cut_off(tmp_path, after=after, **changes)
    assert _fit(resumed, tmp_path, **changes).history == expected.history
    assert _same(whole, resumed)


def test_the_averaged_weights_are_validated_and_kept() -> None:
    plain, averaged = Regression(), Regression()
    _fit(plain)
    fitted = _fit(averaged, ema=0.99)
    assert not _same(plain, averaged)
    ((inputs, truth),) = averaged.val_dataloader()
    with torch.inference_mode():
        score = -(averaged.net(inputs) - truth).square().mean().item()
    assert fitted.best["score"] == pytest.approx(score)


@pytest.mark.parametrize(("accumulate", "steps"), [(1, 4), (2, 2), (3, 2), (8, 1)])
def test_several_batches_make_a_step(accumulate: int, steps: int) -> None:
    module = Regression()
    _fit(module, epochs=1, accumulate=accumulate)
    assert module.trainer.global_step == steps


def test_sixteen_bits_without_a_gpu_train_in_32_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    half, full = Regression(), Regression()
    _fit(half, precision="16-mixed")
    assert "16-mixed needs a GPU, there is none: training in 32 bits" in capsys.readouterr().err
    _fit(full)
    assert _same(half, full)


def test_bfloat16_is_used_where_it_is_asked_for() -> None:
    brain, full = Regression(), Regression()
    _fit(brain, precision="bf16-mixed")
    _fit(full)
    assert not _same(brain, full)


@pytest.mark.parametrize("deterministic", [True, False])
def test_only_repeatable_kernels_are_used_where_that_is_wanted(deterministic: bool) -> None:
    seen: list[bool] = []
    settings = dataclasses.replace(SETTINGS, epochs=1, deterministic=deterministic)
    fit(
        Regression(),
        settings,
        monitor="score",
        seed=0,
        on_epoch=lambda *_: seen.append(torch.are_deterministic_algorithms_enabled()),
    )
    assert seen == [deterministic]


@pytest.mark.parametrize("profiler", ["simple", "advanced"])
def test_a_profile_is_written_beside_the_results(
    tmp_path: Path, profiler: Literal["simple", "advanced"], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = dataclasses.replace(SETTINGS, epochs=1, profiler=profiler)
    fit(Regression(), settings, monitor="score", seed=0, profile=tmp_path / "profile")
    (written,) = (tmp_path / "profile").iterdir()
    assert "training_step" in written.read_text()
    assert str(tmp_path / "profile") in capsys.readouterr().err


class Wider(Regression):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1), nn.Flatten(0))


def test_a_checkpoint_of_another_model_is_refused_and_kept(tmp_path: Path) -> None:
    _cut_off(tmp_path, after=1)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(
        InputError, match=r"another model: 3 weights differ, first net\.0\.bias: expected shape \(4,\), got \(2,\)"
    ):
        _fit(Wider(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_run_cut_off_twice_ends_alike(tmp_path: Path) -> None:
    expected = _fit(Regression())
    _cut_off(tmp_path, after=1)
    _cut_off(tmp_path, after=3)
    assert _fit(Regression(), tmp_path).history == expected.history


def test_the_same_seed_repeats_a_run_and_leaves_no_global_mode_behind() -> None:
    first, again = Regression(), Regression()
    assert _fit(first).history == _fit(again).history
    assert _same(first, again)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]


def test_a_truncated_checkpoint_is_named_and_the_one_before_it_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _cut_off(tmp_path, after=3)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    newest.write_bytes(newest.read_bytes()[:-100])
    resumed = _fit(Regression(), tmp_path)
    assert resumed.resumed_at == 3
    assert resumed.history == _fit(Regression()).history
    assert f"{newest}: damaged" in capsys.readouterr().err


def test_all_checkpoints_damaged_means_a_fresh_start(tmp_path: Path) -> None:
    _cut_off(tmp_path, after=3)
    for path in tmp_path.glob("*.ckpt"):
        path.write_bytes(b"")
    assert _fit(Regression(), tmp_path).resumed_at == 0


def test_two_checkpoints_are_kept_and_discarded_on_demand(tmp_path: Path) -> None:
    _cut_off(tmp_path / "state", after=4)
    assert [path.name[:5] for path in sorted((tmp_path / "state").iterdir())] == ["00003", "00004"]
    discard(tmp_path / "state")
    discard(tmp_path / "state")
    assert not list(tmp_path.iterdir())


def test_patience_ends_a_run_and_the_best_weights_come_back(tmp_path: Path) -> None:
    figures = (0.1, 0.5, 0.4, 0.3, 0.9, 0.9)
    stopped, to_the_best = Regression(figures=figures), Regression(figures=figures)
    fitted = _fit(stopped, patience=2)
    assert (len(fitted.history), fitted.best_epoch, fitted.best) == (4, 1, {"score": 0.5})
    with pytest.raises(PowerCut):
        _fit(to_the_best, cut_after=1)
    assert _same(stopped, to_the_best)


def test_what_is_held_out_is_looked_at_once_an_epoch() -> None:
    class Whole(Regression):
        looked = 0

        def val_dataloader(self) -> DataLoader[Any]:
            return one_batch()

        def validation_step(self, batch: Any, _: int) -> None:
            self.looked += 1
            self.log("score", 1.0, batch_size=64)

    module = Whole()
    _fit(module)
    assert module.looked == SETTINGS.epochs


@pytest.mark.parametrize("noise", [0.0, 1e-9, -1e-9])
def test_noise_in_the_last_digits_keeps_no_other_epoch(noise: float) -> None:
    figures = (0.5, 0.9, 0.9 + noise, 0.9 - noise, 0.8)
    fitted = fit(Regression(figures=figures), FitSettings(epochs=5, accelerator="cpu"), monitor="score", seed=0)
    assert fitted.best_epoch == 1


def test_the_last_weights_are_kept_where_that_is_wanted() -> None:
    falling = (0.9, 0.5, 0.4, 0.3, 0.2, 0.1)
    best, last = Regression(figures=falling), Regression(figures=falling)
    assert _fit(best).best_epoch == 0
    assert _fit(last, keep="last", patience=1).best_epoch == 5
    assert not torch.equal(best.net[0].weight, last.net[0].weight)


def test_waiting_goes_on_where_it_stopped(tmp_path: Path) -> None:
    figures = (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
    with pytest.raises(PowerCut):
        _fit(Regression(figures=figures), tmp_path, cut_after=1, patience=3)
    assert len(_fit(Regression(figures=figures), tmp_path, patience=3).history) == 4


@pytest.mark.parametrize("patience", [2, 6])
def test_a_finished_run_is_not_trained_further(tmp_path: Path, patience: int) -> None:
    figures = (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
    first, again = Regression(figures=figures), Regression(figures=figures)
    done = _fit(first, tmp_path, patience=patience)
    repeated = _fit(again, tmp_path, patience=patience)
    assert repeated.history == done.history
    assert repeated.resumed_at == len(done.history)
    assert _same(first, again)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not a finite number in epoch 3; the state after epoch 2 is kept in .*"):
        _fit(Regression(broken_at=2), tmp_path)
    kept = newest_checkpoint(tmp_path)
    assert kept is not None
    assert kept.name.startswith("00001")


def test_a_figure_that_is_no_number_stops_too() -> None:
    with pytest.raises(RunError, match="epoch 1"):
        _fit(Regression(figures=(float("nan"),) * 6))


def test_a_monitored_figure_that_is_not_logged_is_named() -> None:
    with pytest.raises(ValueError, match=r"logs \['score'\], not the monitored 'val_ap'"):
        fit(Regression(), SETTINGS, monitor="val_ap", seed=0)


class Gadget:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("/tmp/never-to-be-seen"),)


@pytest.mark.parametrize("foreign", ["pickle", "gadget", "tensors"])
def test_a_foreign_checkpoint_is_refused_without_running_it(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "foreign"
    if foreign == "pickle":
        path.write_bytes(pickle.dumps(Gadget()))
    else:
        torch.save({"callbacks": Gadget()} if foreign == "gadget" else {"weights": torch.zeros(2)}, path)
    path.rename(tmp_path / f"00000-{sha256(path)[:16]}.ckpt")
    with pytest.raises(InputError, match="to start afresh"):
        _fit(Regression(), tmp_path)
    assert not Path("/tmp/never-to-be-seen").exists()


def test_epochs_are_shown_with_the_chosen_figure(capsys: pytest.CaptureFixture[str]) -> None:
    fit(
        Regression(figures=(0.25, 0.75)),
        FitSettings(epochs=2, accelerator="cpu"),
        monitor="score",
        seed=0,
        show="score",
    )
    shown = capsys.readouterr()
    assert "epoch 2/2  score 0.750" in shown.err
    assert shown.out == ""


def test_fitting_says_nothing_and_warns_of_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _fit(Regression())
    assert capfd.readouterr() == ("", "")
