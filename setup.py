"""Metadata is in pyproject.toml; here are the packages, one of which lies beside the others."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["tf_wsgen", "tf_wsgen.*"]), "tf_wsgen.configs"])
