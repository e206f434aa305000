"""Pure geometry on batches of poses: cameras, alignment, kinematic chain space."""
