"""twinloop: digital twins whose measured models enter simulations, where plans are made, tested and priced."""

__version__ = "0.1.0"
