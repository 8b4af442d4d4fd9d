"""The lessons: see README.md in this folder."""
