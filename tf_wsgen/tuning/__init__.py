"""The search for the weights λ of the loss terms, with keras-tuner; each trial is an ordinary run of training."""
