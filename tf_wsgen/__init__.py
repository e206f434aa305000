"""tf_wsgen: several 3D human poses from 2D keypoints, trained without pairs."""

__version__ = "0.1.0"
