"""How a detector learns: augmentation, batches, losses, figures, the LightningModule, what a study asks of it."""
