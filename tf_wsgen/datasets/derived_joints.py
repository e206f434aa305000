"""How our joints are derived of others where a list of joints lacks them: weighted sums, with weights that sum to 1."""

from collections.abc import Mapping


def mean_of(*joints: str) -> dict[str, float]:
    """Equal weights of joints."""
    return {joint: 1.0 / len(joints) for joint in joints}


# Human3.6M's bone lengths, mean pose and average adults put its points of the head about here: the head's 80 mm above
# the ears (50 mm below the true top), the "neck/nose" (joint 14 of 32) inside the head, 30 mm below the ears and a
# little before them. Both count little (weight 0.1 in the reprojection), so that rough estimates do.
# - neck: halfway from between the ears to the nose. The nose alone, which the field often takes, is 100 mm before it.
# - head: half as far beyond the ears as these are from the shoulders. Adults' ears are 217 mm above the shoulders'
#   joints, so this is between Human3.6M's point and the true top, 130 mm above the ears (MPII).
# The tests hold the distances, nodding and tilting included.
# Of a face that is seen in part they are derived more roughly (`partial_face`): an ear or an eye stands for the middle
# of both (half a head's width off at most, and not at all from the side); eyes are as high as ears, 90 mm before them;
# the nose is 185 mm above the shoulders' joints, where the head's point is 325 mm above them.
BEYOND_THE_EARS = 0.5
MID_HIP = mean_of("left_hip", "right_hip")
MID_SHOULDER = mean_of("left_shoulder", "right_shoulder")
# From the top of the head (MPII), 347 mm above the shoulders' joints.
BELOW_THE_TOP = 187 / 347
INSIDE_THE_HEAD = {"nose": 0.5, "left_ear": 0.25, "right_ear": 0.25}


def extended(start: str, end: str, factor: float) -> dict[str, float]:
    """Weights of the point on the line from one joint to another, `factor` times as far."""
    return {end: factor, start: 1.0 - factor}


def head_top(between_shoulders: Mapping[str, float]) -> dict[str, float]:
    """Weights of the head's point, from both ears and what is between the shoulders."""
    ears = dict.fromkeys(("left_ear", "right_ear"), (1.0 + BEYOND_THE_EARS) / 2.0)
    return ears | {joint: -BEYOND_THE_EARS * weight for joint, weight in between_shoulders.items()}


def partial_face(between_shoulders: Mapping[str, float]) -> dict[str, tuple[Mapping[str, float], ...]]:
    """Head and neck from an ear, an eye or the nose, best first; distances are those of the comment above."""

    def beyond(parts: tuple[str, ...], factor: float) -> dict[str, float]:
        # From between the shoulders to the middle of the parts, and on (or back) to `factor` times that.
        back = {joint: (1.0 - factor) * weight for joint, weight in between_shoulders.items()}
        return dict.fromkeys(parts, factor / len(parts)) | back

    ears, eyes = ("left_ear", "right_ear"), ("left_eye", "right_eye")
    one_ear, one_eye = [(ear,) for ear in ears], [(eye,) for eye in eyes]
    level = [*one_ear, eyes, *one_eye]
    return {
        "head": (*(beyond(parts, 1.0 + BEYOND_THE_EARS) for parts in level), beyond(("nose",), 325 / 185)),
        "neck": (
            *({"nose": 0.5, ear: 0.5} for ear in ears),
            *(beyond(parts, 187 / 217) for parts in (ears, *one_ear)),
            {"nose": 1.0},
            *(beyond(parts, 187 / 217) for parts in (eyes, *one_eye)),
        ),
    }
