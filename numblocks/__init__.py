"""numblocks: Gluon on NumPy and Numba."""
import os as _os

# in a checkout `kernels/` lies beside this package; in a wheel inside it
_beside = _os.path.dirname(_os.path.dirname(_os.path.abspath(__file__)))
if _os.path.isfile(_os.path.join(_beside, "kernels", "build.py")):
    __path__.append(_beside)
