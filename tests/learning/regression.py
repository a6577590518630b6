"""A LightningModule of twelve parameters, with dropout and shuffled batches, for tests of fitting."""

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class Shuffled(Sampler[int]):
    """Sixty-four places in an order that the epoch decides."""

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return 64

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield from torch.randperm(64, generator=torch.Generator().manual_seed(self.epoch)).tolist()


class Regression(lightning.LightningModule):
    """Linear regression on random data; `figures` replaces the validation figure per epoch, `broken_at` makes NaN."""

    def __init__(self, *, figures: tuple[float, ...] = (), broken_at: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.3), nn.Linear(2, 1), nn.Flatten(0))
        self.figures, self.broken_at = figures, broken_at
        generator = torch.Generator().manual_seed(1)
        inputs = torch.randn(64, 3, generator=generator)
        self.data = TensorDataset(inputs, inputs.sum(dim=1) + torch.randn(64, generator=generator))

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(self.data, batch_size=16, sampler=Shuffled())

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(self.data, batch_size=64)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        loss = (self.net(batch[0]) - batch[1]).square().mean()
        return loss * float("nan") if self.current_epoch == self.broken_at else loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        score = -(self.net(batch[0]) - batch[1]).square().mean()
        self.log("score", self.figures[self.current_epoch] if self.figures else score)

    def configure_optimizers(self):  # type: ignore[no-untyped-def]
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + 0.1 * step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
