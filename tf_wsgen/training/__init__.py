"""Training: the model, its callbacks, and the loop."""
