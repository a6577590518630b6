"""What is learnt from lives: how much of one remains, and how likely each component fails day by day."""
