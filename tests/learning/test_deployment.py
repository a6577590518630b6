"""The whole export on a model that sees no picture: token ids and a mask of any length, and a telemetry window."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from twinloop.errors import InputError, RunError
from twinloop.files import read_json, sha256
from twinloop.learning.deployment import Deployment, Exportable, Quality, deploy
from twinloop.learning.export import torch_outputs
from twinloop.learning.inference import open_graph, run_batches
from twinloop.learning.latency import measure
from twinloop.learning.parity import max_difference
from twinloop.learning.settings import ExportSettings
from twinloop.learning.signature import Arrays, Axis, Input, Outputs
from twinloop.learning.spec import Spec
from twinloop.learning.tensorrt import obstacle

LENGTH = Axis("length", least=1, most=64)
TOKENS = (Input("ids", (LENGTH,), "int64"), Input("mask", (LENGTH,), "bool"))
QUICK = {"latency_runs": 10, "latency_warmup": 1, "tensorrt": "none"}


class Reader(nn.Module):
    """Attention over embedded tokens: a score per sentence, and where each token's answer lies."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.attend = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head, self.spans = nn.Linear(16, 3), nn.Linear(16, 2)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.embedding(ids)
        mixed, _ = self.attend(tokens, tokens, tokens, key_padding_mask=~mask, need_weights=False)
        kept = mask[..., None].float()
        pooled = (mixed * kept).sum(dim=1) / kept.sum(dim=1)
        return self.head(pooled), self.spans(mixed)


def sentences(count: int, length: int, *, seed: int = 0) -> Arrays:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, length + 1, count)
    return {
        "ids": random.integers(0, 50, (count, length)),
        "mask": np.arange(length) < lengths[:, None],
    }


def reader() -> Reader:
    torch.manual_seed(0)
    return Reader().eval()


def exportable(**changes: Any) -> Exportable:
    given: dict[str, Any] = {
        "module": reader(),
        "inputs": TOKENS,
        "outputs": ("scores", "spans"),
        "stem": "reader",
        "about": {"language": "en", "labels": ["no", "yes", "none"]},
        "calibration": sentences(24, 12, seed=1),
        "samples": sentences(40, 16),
        "further": (sentences(8, 5, seed=2), sentences(8, 40, seed=3)),
    }
    return Exportable(**(given | changes))


def same_answer(reference: Outputs, candidate: Outputs) -> Quality:
    """The reader's own gate: the share of sentences whose answer changes."""
    changed = float(np.mean(reference[0].argmax(axis=1) != candidate[0].argmax(axis=1)))
    broken = (f"{changed:.0%} of answers change",) if changed > 0.2 else ()
    return Quality({"yes": float(np.mean(candidate[0].argmax(axis=1) == 1))}, {"changed_answers": changed}, broken)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Deployment]:
    folder = tmp_path_factory.mktemp("reader")
    return folder, deploy(exportable(), folder, ExportSettings(**QUICK), gate=same_answer)


def test_the_user_of_a_model_names_its_inputs_files_and_figures(deployed: tuple[Path, Deployment]) -> None:
    folder, deployment = deployed
    assert sorted(path.name for path in folder.iterdir()) == [
        "reader_fp16.onnx",
        "reader_fp32.onnx",
        "reader_int8.onnx",
        "spec.json",
    ]
    spec = Spec.load(folder)
    assert spec.inputs == {"ids": ["int64", "batch", "length"], "mask": ["bool", "batch", "length"]}
    assert spec.about == {"language": "en", "labels": ["no", "yes", "none"]}
    assert spec.digest == sha256(folder / "reader_fp32.onnx")
    metrics = deployment.metrics()
    assert metrics["fp32_max_difference"] < 1e-5 < metrics["int8_max_difference"]
    assert metrics["int8"] == "within limits"
    assert 0 <= metrics["int8_changed_answers"] <= 0.2
    assert "fp32_changed_answers" not in metrics
    assert {"fp32_yes", "fp16_yes", "int8_yes"} <= set(metrics)
    assert metrics["parity_samples"] == 40
    assert not [name for name in metrics if "auroc" in name or "image" in name]


@pytest.mark.parametrize("graph_format", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize(("count", "length"), [(1, 1), (3, 7), (5, 64)])
def test_every_format_takes_any_number_of_sentences_of_any_length(
    deployed: tuple[Path, Deployment], graph_format: str, count: int, length: int
) -> None:
    folder, deployment = deployed
    graph = open_graph(folder / deployment.spec.file(graph_format))
    given = sentences(count, length, seed=9)
    outputs = graph(given)
    assert [output.shape for output in outputs] == [(count, 3), (count, length, 2)]
    allowed = {"fp32": 1e-5, "fp16": 1e-2, "int8": 0.3}[graph_format]
    assert max_difference(torch_outputs(reader(), given), outputs) < allowed


def test_latency_is_that_of_one_sentence_unless_another_use_is_given(
    deployed: tuple[Path, Deployment], tmp_path: Path
) -> None:
    assert list(deployed[1].times) == ["fp32", "fp16", "int8", "hardware"]
    assert deployed[1].times["int8"]["runs"] == 10
    used: list[str] = []

    def opened(graph_format: str) -> Any:
        return lambda: used.append(graph_format)

    deploy(exportable(), tmp_path, ExportSettings(**QUICK), gate=same_answer, opened=opened)
    assert used.count("int8") == 11
    session = open_graph(deployed[0] / "reader_fp32.onnx")
    assert measure(lambda: session(sentences(1, 9)), runs=10, warmup=1, threads=1).p50_ms > 0


def test_a_format_asked_for_by_name_must_keep_the_users_limits(tmp_path: Path) -> None:
    def strict(reference: Outputs, candidate: Outputs) -> Quality:
        same = all(np.array_equal(one, other) for one, other in zip(reference, candidate, strict=True))
        return Quality(broken=() if same else ("answers are not the same bits",))

    with pytest.raises(RunError, match=r"export: INT8: answers are not the same bits: set ExportSettings\.format=fp32"):
        deploy(exportable(), tmp_path, ExportSettings(format="int8", **QUICK), gate=strict)
    assert not (tmp_path / "spec.json").exists()


def test_a_length_that_goes_wrong_closes_the_gate(tmp_path: Path) -> None:
    class Short(Reader):
        """Right up to 16 tokens, as far as the samples go; beyond that torch itself says something else each time."""

        def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
            scores, spans = super().forward(ids, mask)
            if not torch.compiler.is_exporting() and ids.shape[1] > 16:
                scores = scores + 1
            return scores, spans

    torch.manual_seed(0)
    with pytest.raises(RunError, match="export: FP32: raw outputs differ from torch"):
        deploy(exportable(module=Short().eval()), tmp_path, ExportSettings(**QUICK), gate=same_answer)


def test_a_telemetry_window_with_a_state_beside_it_is_exported(tmp_path: Path) -> None:
    class Predictor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolve, self.head = nn.Conv1d(4, 8, 3, padding=1), nn.Linear(9, 1)

        def forward(self, window: Tensor, age_h: Tensor) -> Tensor:
            pooled = torch.relu(self.convolve(window)).amax(dim=2)
            out: Tensor = self.head(torch.cat([pooled, age_h], dim=1))
            return out

    def windows(count: int, steps: int) -> Arrays:
        random = np.random.default_rng(steps)
        return {
            "window": random.normal(size=(count, 4, steps)).astype(np.float32),
            "age_h": random.random((count, 1), np.float32),
        }

    steps = Axis("steps", least=8, most=256)
    model = exportable(
        module=Predictor(),
        inputs=(Input("window", (4, steps)), Input("age_h", (1,))),
        outputs=("hazard",),
        stem="predictor",
        about={},
        calibration=windows(16, 32),
        samples=windows(20, 48),
        further=(windows(4, 200),),
    )
    deployment = deploy(model, tmp_path, ExportSettings(**QUICK), gate=lambda *_: Quality())
    given = windows(3, 100)
    graph = open_graph(tmp_path / deployment.spec.file("int8"))
    assert max_difference(torch_outputs(model.module, given), run_batches(graph, given, batch=2)) < 0.2


def test_tensorrt_gets_its_graphs_where_they_are_asked_for(tmp_path: Path) -> None:
    reason = obstacle()
    if reason is None:
        pytest.skip("this machine can build engines")
    files = ExportSettings(**{**QUICK, "tensorrt": "files"})
    deployment = deploy(exportable(), tmp_path, files, gate=same_answer)
    assert deployment.engine.reason == f"{reason}; graphs written"
    assert deployment.engine_verdict == "within limits"
    assert (tmp_path / "reader_int8_qdq.onnx").is_file()


def test_an_export_of_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"spec\.json: expected an exported model, found none: run the export stage"):
        Spec.load(tmp_path)
    (tmp_path / "spec.json").write_text('{"deployed": "fp32"}')
    with pytest.raises(InputError, match=r"spec\.json: no description of an export"):
        Spec.load(tmp_path)


def test_a_description_survives_its_file(deployed: tuple[Path, Deployment]) -> None:
    spec = Spec.load(deployed[0])
    assert spec == deployed[1].spec
    with pytest.raises(InputError, match="this export holds no 'int4' graph, only fp32, fp16, int8"):
        spec.file("int4")
    assert next(iter(read_json(deployed[0] / "spec.json"))) == "deployed"
