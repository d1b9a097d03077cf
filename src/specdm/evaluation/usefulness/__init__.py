"""Whether synthetic tiles make a downstream model better: the same training with and without them."""
