"""From a prepared file to batches: rows, preprocessing, synthetic people, pipeline."""
