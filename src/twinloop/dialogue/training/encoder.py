"""A dense encoder learnt by contrast: a question lies near its passage and far from the others of its batch.

Both towers are one small BERT (transformers' BertModel), its tokens' mean at unit length; the loss is InfoNCE both
ways (van den Oord, Li and Vinyals, 2018; Karpukhin et al., 2020). What is written are tensors and a tokenizer:
`models.sentence_encoder` runs them without torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from twinloop.dialogue.models.sentence_encoder import TOKENIZER, WEIGHTS
from twinloop.dialogue.training.pairs import Pair, cloze_pairs, epoch_batches
from twinloop.dialogue.training.settings import EncoderTrainingSettings
from twinloop.dialogue.training.tokens import fit_tokenizer
from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.learning.fit import Fitted, fit, one_batch, one_cycle

MONITOR = "reciprocal_rank"
# Added to the similarity of a passage that is right for another question of the batch as well.
SAME = -1e4


@dataclass(frozen=True)
class TrainedEncoder:
    """What a fit came to: its course, the size of the network and of its vocabulary."""

    fitted: Fitted
    parameters: int
    vocabulary: int


def fit_encoder(
    pairs: Sequence[Pair],
    held: Sequence[Pair],
    folder: Path,
    settings: EncoderTrainingSettings,
    *,
    seed: int,
    texts: Sequence[str] = (),
    state: Path | None = None,
    show: str | None = MONITOR,
    on_epoch: Any = None,
) -> TrainedEncoder:
    """Learn from `pairs`, keep the epoch that ranks the passages of `held` best, write weights and tokenizer.

    texts: further ones that words are learnt from. The figure of an epoch is the mean reciprocal rank of each held
    question's passage among all of them. Raises InputError where there are fewer than two passages on a side.
    """
    for name, given in (("learn from", pairs), ("choose by", held)):
        if len({pair.passage for pair in given}) < 2:
            raise InputError(f"encoder: expected questions on at least two passages to {name}: give it more documents")
    passages = [pair.passage for pair in pairs]
    torn = cloze_pairs([*passages, *texts], round(settings.cloze * len(pairs)), seed=seed)
    words = [*texts, *(text for pair in pairs for text in pair)]
    tokenizer = fit_tokenizer(words, folder / TOKENIZER, vocabulary=settings.vocabulary)
    torch.manual_seed(seed)
    task = _Contrast(_Tokens(tokenizer, settings.tokens), [*pairs, *torn], list(held), settings, seed=seed)
    fitted = fit(task, settings.fit, monitor=MONITOR, seed=seed, state=state, show=show, on_epoch=on_epoch)
    tensors = {name: value.contiguous() for name, value in task.bert.state_dict().items()}
    with atomic(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary)
    parameters = sum(value.numel() for value in task.bert.parameters())
    return TrainedEncoder(fitted, parameters, tokenizer.get_vocab_size())


class _Tokens:
    """Texts as padded rows of token numbers with their mask."""

    def __init__(self, tokenizer: Any, most: int) -> None:
        self.tokenizer = tokenizer
        tokenizer.enable_truncation(most)

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        longest = max(map(len, rows))
        padded = torch.zeros((len(rows), longest), dtype=torch.int64)
        mask = torch.zeros_like(padded)
        for place, row in enumerate(rows):
            padded[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        return padded, mask


class _Contrast(lightning.LightningModule):
    """Fits the encoder on pairs of texts; its figure is the mean reciprocal rank on held pairs."""

    def __init__(
        self, tokens: _Tokens, pairs: list[Pair], held: list[Pair], settings: EncoderTrainingSettings, *, seed: int
    ) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        shape = BertConfig(
            vocab_size=tokens.tokenizer.get_vocab_size(),
            hidden_size=settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=4 * settings.width,
            max_position_embeddings=settings.tokens,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
        )
        self.bert = BertModel(shape, add_pooling_layer=False)
        self.tokens, self.pairs, self.held, self.options, self.seed = tokens, pairs, held, settings, seed
        self.per_epoch = max(len(pairs) // settings.batch, 1)

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """[texts, width], unit length."""
        padded, mask = (part.to(self.device) for part in self.tokens(texts))
        hidden = self.bert(input_ids=padded, attention_mask=mask).last_hidden_state
        return functional.normalize((hidden * mask.unsqueeze(-1)).sum(dim=1), dim=-1)

    def train_dataloader(self) -> Any:
        return _Batches(self)

    def val_dataloader(self) -> Any:
        return one_batch()

    def training_step(self, rows: NDArray[np.int64], batch_idx: int) -> Tensor:
        questions, passages = zip(*(self.pairs[row] for row in rows), strict=True)
        alike = self.vectors(questions) @ self.vectors(passages).T / self.options.temperature
        # A passage that two questions of the batch share is no wrong answer to either.
        same = torch.tensor([[a == b for b in passages] for a in passages], device=self.device)
        same.fill_diagonal_(False)
        alike = alike + SAME * same
        right = torch.arange(len(rows), device=self.device)
        loss: Tensor = (functional.cross_entropy(alike, right) + functional.cross_entropy(alike.T, right)) / 2
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(rows))
        return loss

    def validation_step(self, batch: int, batch_idx: int) -> None:
        passages = sorted({pair.passage for pair in self.held})
        near = self._all([pair.question for pair in self.held]) @ self._all(passages).T
        place = {passage: number for number, passage in enumerate(passages)}
        right = near[torch.arange(len(self.held)), [place[pair.passage] for pair in self.held]]
        # A passage that is as near as the right one counts as nearer: nothing is won by a tie.
        rank = (near >= right.unsqueeze(1)).sum(dim=1).clamp(min=1)
        self.log(MONITOR, (1 / rank).mean(), batch_size=len(self.held))

    def configure_optimizers(self) -> Any:
        options, steps = self.options, self.per_epoch * self.options.fit.epochs
        return one_cycle(self, learning_rate=options.learning_rate, weight_decay=options.weight_decay, steps=steps)

    def _all(self, texts: Sequence[str]) -> Tensor:
        size = self.options.batch
        return torch.cat([self.vectors(texts[start : start + size]) for start in range(0, len(texts), size)])


class _Batches:
    """Rows of the batches of one epoch, the same ones in a resumed run."""

    def __init__(self, task: _Contrast) -> None:
        self.task = task

    def __len__(self) -> int:
        return self.task.per_epoch

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        task = self.task
        yield from epoch_batches(len(task.pairs), task.options.batch, seed=task.seed, epoch=task.current_epoch)
