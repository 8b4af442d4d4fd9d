"""A solution of every exercise. Yours may differ: what `lessons.check` accepts is right."""
