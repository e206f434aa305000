"""The trained networks as one object: keypoints in, hypotheses out, in TensorFlow."""
class Lifter: pass
