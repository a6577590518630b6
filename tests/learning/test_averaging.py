import torch
from torch import nn

from twinloop.learning.averaging import WeightAverage


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.seen: torch.Tensor
        self.register_buffer("seen", torch.tensor(0))

    def set(self, weight: float, seen: int) -> "Counter":
        with torch.no_grad():
            self.weight.fill_(weight)
        self.seen.fill_(seen)
        return self


def test_the_average_moves_by_the_decay_and_copies_counts() -> None:
    module, average = Counter(), WeightAverage(0.9)
    average.update(module.set(1.0, 1), step=1)
    # After 100 steps the rising decay, 101/110, is above 0.9: a tenth of the way from 1 to 2.
    average.update(module.set(2.0, 2), step=100)
    torch.testing.assert_close(average.weights["weight"], torch.tensor([1.1]))
    assert average.weights["seen"].item() == 2


def test_early_steps_forget_the_random_start() -> None:
    module, average = Counter(), WeightAverage(0.999)
    average.update(module.set(0.0, 0), step=1)
    # (1 + 2) / (10 + 2) of the old value stay at step 2.
    average.update(module.set(1.0, 0), step=2)
    torch.testing.assert_close(average.weights["weight"], torch.tensor([0.75]))


def test_the_module_has_the_average_inside_and_its_own_weights_again_afterwards() -> None:
    module, average = Counter(), WeightAverage(0.5)
    average.update(module.set(4.0, 1), step=1)
    module.set(8.0, 3)
    with average.inside(module):
        assert (module.weight.item(), module.seen.item()) == (4.0, 1)
    assert (module.weight.item(), module.seen.item()) == (8.0, 3)


def test_a_saved_average_goes_on_alike() -> None:
    module, whole, resumed = Counter(), WeightAverage(0.9), WeightAverage(0.9)
    whole.update(module.set(1.0, 1), step=1)
    resumed.load({name: value.clone() for name, value in whole.weights.items()}, like=module)
    for average in (whole, resumed):
        average.update(module.set(5.0, 2), step=50)
    assert torch.equal(whole.weights["weight"], resumed.weights["weight"])
