"""The weights of a sentence selector, learnt listwise: of all sentences compared for a question, the right one wins.

The loss is the cross-entropy of a softmax over a question's candidates (ListNet with one right answer: Cao et al.,
2007). It is linear in the named features, and pulled towards the weights it starts from: so few questions as one
person's can move what they tell of, and leave the rest as it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinloop.dialogue.answering.selector import Candidate, Features
from twinloop.dialogue.answering.settings import MOST_WEIGHT, SelectorSettings
from twinloop.dialogue.training.pairs import epoch_batches
from twinloop.dialogue.training.settings import SelectorTrainingSettings
from twinloop.errors import InputError
from twinloop.learning.fit import Fitted, fit, one_batch

MONITOR = "first_right"
# Added to the score of a row that only fills a batch.
FILLER = -1e4


class Choice(NamedTuple):
    """The candidates of a question: their features [candidates, features] and which are right [candidates]."""

    features: NDArray[np.float32]
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, candidates: Sequence[Candidate], right: Sequence[bool]) -> "Choice":
        """Raises InputError where none is right: of such a question nothing can be learnt."""
        if not any(right):
            raise InputError("selector: expected a right sentence among the candidates: leave the question out")
        return cls(np.array([one.features for one in candidates], np.float32), np.array(right, bool))


@dataclass(frozen=True)
class TrainedSelector:
    """What a fit came to: the settings with the learnt weights, and its course."""

    settings: SelectorSettings
    fitted: Fitted


def fit_selector(
    choices: Sequence[Choice],
    held: Sequence[Choice],
    start: SelectorSettings,
    settings: SelectorTrainingSettings,
    *,
    seed: int,
) -> TrainedSelector:
    """Learn the weights from `choices`, beginning with those of `start`.

    held: questions of which the share with the right sentence first is the figure of an epoch. Raises InputError where
    a side has none.
    """
    if not (choices and held):
        raise InputError(
            f"selector: expected questions to learn from and to judge by, got {len(choices)} and {len(held)}: ask some"
        )
    task = _Listwise(list(choices), list(held), start, settings, seed=seed)
    fitted = fit(task, settings.fit, monitor=MONITOR, seed=seed)
    weights = np.clip(task.weights.detach().numpy().astype(np.float64), -MOST_WEIGHT, MOST_WEIGHT)
    learnt: dict[str, Any] = {
        name: round(float(weight), 6) for name, weight in zip(Features._fields, weights, strict=True)
    }
    return TrainedSelector(replace(start, **learnt), fitted)


class _Listwise(lightning.LightningModule):
    """Fits the weights of the features on questions with their candidates."""

    def __init__(
        self,
        choices: list[Choice],
        held: list[Choice],
        start: SelectorSettings,
        settings: SelectorTrainingSettings,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.begun = torch.tensor([getattr(start, name) for name in Features._fields], dtype=torch.float32)
        self.weights = torch.nn.Parameter(self.begun.clone())
        self.choices, self.held, self.options, self.seed = choices, held, settings, seed

    def train_dataloader(self) -> Any:
        return _Batches(self)

    def val_dataloader(self) -> Any:
        return one_batch()

    def training_step(self, rows: NDArray[np.int64], batch_idx: int) -> Tensor:
        scores, right = self._scores([self.choices[row] for row in rows])
        likely = scores.masked_fill(~right, FILLER).logsumexp(dim=1) - scores.logsumexp(dim=1)
        pulled = self.options.pull * (self.weights - self.begun).square().sum() / len(self.choices)
        loss: Tensor = pulled - likely.mean()
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(rows))
        return loss

    def validation_step(self, batch: int, batch_idx: int) -> None:
        scores, right = self._scores(self.held)
        first = right[torch.arange(len(self.held)), scores.argmax(dim=1)]
        self.log(MONITOR, first.float().mean(), batch_size=len(self.held))

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), lr=self.options.learning_rate)

    def _scores(self, choices: Sequence[Choice]) -> tuple[Tensor, Tensor]:
        """[questions, candidates] of the scores as log odds and of what is right; filled up to the longest."""
        longest = max(len(one.right) for one in choices)
        features = torch.zeros((len(choices), longest, len(self.weights)))
        right = torch.zeros((len(choices), longest), dtype=torch.bool)
        filler = torch.full((len(choices), longest), FILLER)
        for row, one in enumerate(choices):
            count = len(one.right)
            features[row, :count] = torch.from_numpy(one.features)
            right[row, :count] = torch.from_numpy(one.right)
            filler[row, :count] = 0.0
        return features @ self.weights / self.options.temperature + filler, right


class _Batches:
    """Rows of the batches of one epoch, the same ones in a resumed run."""

    def __init__(self, task: _Listwise) -> None:
        self.task = task

    def __len__(self) -> int:
        return max(len(self.task.choices) // self.task.options.batch, 1)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        task = self.task
        yield from epoch_batches(len(task.choices), task.options.batch, seed=task.seed, epoch=task.current_epoch)
