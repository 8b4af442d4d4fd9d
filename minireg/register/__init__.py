"""Align your own images: `python -m minireg.register`.

`__main__.py`   the command line: parse, register, print
`pair.py`       two files: read, registered, written, drawn, judged
`listed.py`     a list of such pairs
"""

from minireg.command import lazily

__all__ = ["main"]
__getattr__ = lazily(__name__, {"main": "__main__"})
