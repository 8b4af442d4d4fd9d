"""Are the gradients right? A library for your own functions, and `python -m minireg.gradcheck` for every op.

    from minireg.gradcheck import gradcheck
    gradcheck(ops.conv2d, x, weight)         # NumPy arrays; silent if all is well

`check.py` compares every VJP with central differences, `beside.py` asks what holds for any VJP, `cases.py` knows how
to call each op, `drawing.py` with which numbers and shapes, `choosing.py` which calls to make; of a gradient that
is wrong, `explaining.py` finds the worst element and `diagnosis.py` says what kind of mistake fits.
"""

from minireg.command import lazily

__all__ = ["Report", "WrongGradient", "gradcheck"]
__getattr__ = lazily(__name__, {"Report": "check", "WrongGradient": "check", "gradcheck": "check"})
