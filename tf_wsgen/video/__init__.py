"""From a video or images to people's keypoints: frames, and detectors that others made."""
