"""Tells setuptools that the top-level folder kernels/ is the package numblocks.kernels.

Everything else stands in pyproject.toml. The packages are searched for rather than listed, so a new
sub-package cannot be forgotten in the wheel.
"""

from setuptools import find_packages, setup

kernels = find_packages(include=["kernels", "kernels.*"])
setup(
    packages=find_packages(include=["numblocks", "numblocks.*"]) + ["numblocks." + name for name in kernels],
    package_dir={"numblocks.kernels": "kernels"},
)
