"""What becomes of a plan on the floor: executed under breakdowns, compared, priced."""
