"""A demo in the browser: draw two digits, and see one bent onto the other. `python -m minireg.demo` serves it.

`__main__.py`       the command line: parse, read the network, serve
`page.py`           what is on the page, and what happens when
`pad.py`            the squares to draw in
`registering.py`    from two drawn digits to fields and pictures, by what the library has
`network.py`        the small network that comes along, and the command that trains it
"""
