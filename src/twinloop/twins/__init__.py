"""The twins: each lives the same loop, one short module per verb. Engines know none of them."""
