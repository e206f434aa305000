"""RTMPose by rtmlib: 17 joints of COCO of everybody in an image; it downloads its weights at first use."""

import numpy as np
from PIL import Image

from tf_wsgen.errors import InputError

MODES = ("lightweight", "balanced", "performance")


class RTMPose:
    """Finds the people of an image.

    Args:
        mode: Which of rtmlib's pairs of models, one of `MODES`; balanced if not given.

    Raises:
        InputError: Another mode; rtmlib is not installed, or its weights are not there and cannot be downloaded.
    """

    convention = "coco17"

    def __init__(self, mode: str | None):
        if mode is not None and mode not in MODES:
            raise InputError(f"detector_model is {mode!r}; expected one of rtmlib's {list(MODES)}.")
        try:
            import rtmlib
        except ImportError:
            raise InputError(
                "detector rtmlib needs rtmlib, which is not installed: pip install 'tf_wsgen[rtmlib]'"
            ) from None
        try:
            self._body = rtmlib.Body(mode=mode or "balanced", backend="onnxruntime", device="cpu")
        # Whatever the network, an archive and ONNX Runtime raise.
        except Exception as error:
            raise InputError(f"rtmlib's weights cannot be downloaded or read ({error}).") from None

    def __call__(self, image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        """(P, 17, 2) pixels and (P, 17) scores, mostly from 0 to 1, of P people."""
        blue_first = np.ascontiguousarray(np.asarray(image)[..., ::-1])
        boxes = self._body.det_model(blue_first)
        # Without boxes it would take the whole image for a person.
        if not len(boxes):
            return np.zeros((0, 17, 2)), np.zeros((0, 17))
        return self._body.pose_model(blue_first, bboxes=boxes)
