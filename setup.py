"""Installs tf_wsgen: multiple 3D human poses from 2D keypoints, trained without pairs."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (ROOT / "tf_wsgen" / "__init__.py").read_text())[1]

setup(
    name="tf_wsgen",
    version=VERSION,
    description="Multiple 3D human poses from 2D keypoints, trained without a single 2D-to-3D pair",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    packages=find_packages(include=["tf_wsgen", "tf_wsgen.*"]),
    package_data={"tf_wsgen": ["pretrained/*.npz", "viewer/*.html", "viewer/*.css", "viewer/*.js"]},
    python_requires=">=3.11,<3.14",
    install_requires=[
        # tf_keras pins TensorFlow's minor version, and TensorFlow Probability needs tf_keras.
        "tensorflow>=2.21,<2.22",
        "tf_keras>=2.21,<2.22",
        "tensorflow-probability[tf]>=0.25,<0.26",
        "keras>=3.12,<4",
        "numpy>=1.26",
        "h5py",
        "absl-py",
        "keras-tuner[bayesian]>=1.4.8",
        # TensorFlow 2.21 no longer brings it, and both keras.callbacks and keras-tuner need it.
        "tensorboard",
        "matplotlib",
        "plotly",
        "pyyaml",
        "scipy",
        "tqdm",
    ],
    extras_require={
        "docs": ["pdoc"],
        "cuda": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "test": [
            "pytest",
            "pytest-xdist",
            "ruff",
            "scikit-learn",
            "fpsample",
            "bvhio",
            "selenium",
            "grpcio",
            "tensorflow-serving-api>=2.21,<2.22",
            "ai-edge-litert",
        ],
    },
)
