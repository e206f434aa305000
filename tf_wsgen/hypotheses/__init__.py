"""Drawing hypotheses, and choosing among them."""
