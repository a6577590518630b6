"""Tokens that a service says it counted, and what they cost."""

from typing import Any

# What a number of tokens can be; what is beyond was not counted.
MOST = 1_000_000_000


def counted_tokens(record: dict[str, Any]) -> int:
    """usage.total_tokens of an answer; 0 where the service does not say, or what cannot be."""
    usage = record.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and 0 <= total <= MOST else 0


def token_price(tokens: int, per_million: float) -> float:
    """Price of so many tokens."""
    return tokens * per_million / 1e6
