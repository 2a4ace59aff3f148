"""What every training script shares: the loop, its checkpoints, averaged weights, data sets, cards. Knows no model."""
