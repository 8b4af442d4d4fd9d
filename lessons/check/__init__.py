"""`python -m lessons.check 07` tests your answers to the exercises of lesson 7. `checking.py` says how."""
