"""tf_wsgen: several 3D human poses from 2D keypoints, trained without pairs.

`tf_wsgen.load(path)` and `tf_wsgen.load_pretrained()` give a `PoseLifter`; see `tf_wsgen.lifting.api`.
"""

__version__ = "0.1.0"
_FROM_API = ("PoseLifter", "load", "load_pretrained")


def __getattr__(name: str):
    # TensorFlow takes seconds to import, and the scripts' --help doesn't need it.
    if name in _FROM_API:
        from tf_wsgen.lifting import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FROM_API])
