"""Draws from P(pose, image): bodies varied, seen by a camera, found by a detector, partly hidden."""
