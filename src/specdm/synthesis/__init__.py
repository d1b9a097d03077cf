"""From a trained model to tile sets."""
