"""A trained model: pixels in, hypotheses in millimetres out."""
