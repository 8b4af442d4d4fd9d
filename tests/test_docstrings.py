"""Every public function that a reader would call by hand has an example, and every example gives what it says.

An example knows what `from MODULE import *` of its own module gives, and np, Tensor and ops; it imports the rest.
"""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from strict_backend import using

import minireg
from minireg import Tensor, ops

MODULES = ["minireg"] + [
    module.name
    for module in pkgutil.walk_packages(minireg.__path__, "minireg.")
    if not module.name.endswith("__main__")
]
# What nobody calls by hand to see what it does, by the reason.
WITHOUT_EXAMPLE = {
    "the command lines' own": {"main", "prepare_process", "keep_freed_memory", "lazily", "run", "add_backend_option"},
    "needs the network, or files": {"read_mnist", "download_mnist", "read_configuration"},
    "what others take, return or raise": {"Configuration", "Metric", "Pairs", "Report", "WrongGradient"},
    "one line around another that has one": {"predict", "refine", "load_network", "Workers"},
}
EXAMPLES = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def defined_in(name):
    """The public functions and classes that a module itself defines, by name."""
    module = importlib.import_module(name)
    return {
        key: value
        for key, value in vars(module).items()
        if not key.startswith("_") and callable(value) and getattr(value, "__module__", None) == name
    }


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write a file
    known = {"np": np, "Tensor": Tensor, "ops": ops} | vars(importlib.import_module(name))
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(verbose=False, optionflags=EXAMPLES)
    tests = []
    for key, value in defined_in(name).items():
        tests += finder.find(value, f"{name}.{key}", globs=known)
    with using("numpy"):
        for test in tests:
            said = []
            assert runner.run(test, out=said.append, clear_globs=False).failed == 0, "".join(said)


@pytest.mark.parametrize("face", [name for name in MODULES if hasattr(importlib.import_module(name), "__all__")])
def test_what_a_face_hands_on_has_an_example(face):
    module = importlib.import_module(face)
    exempt = set().union(*WITHOUT_EXAMPLE.values())
    missing = []
    for name in set(module.__all__) - exempt:
        value = getattr(module, name)
        if (inspect.isfunction(value) or inspect.isclass(value)) and ">>>" not in (inspect.getdoc(value) or ""):
            missing.append(name)
    assert not sorted(missing)
