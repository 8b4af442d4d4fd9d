"""The exercises: fill in the functions, then `python -m lessons.check 07` from the top folder."""
