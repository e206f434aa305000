"""The browser demo: a folder of files that lifts keypoints without a server."""
