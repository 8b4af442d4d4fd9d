"""The house: imports only descend, in no circle; faces hold no logic; importing changes nothing outside the package."""

import ast
import graphlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import minireg

ROOT = Path(minireg.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
FACES = [path for path in FILES if path.name == "__init__.py"]
# A room is a file or a folder of the package; what lies on one floor may import each other, but in no circle.
FLOORS = [
    {"errors", "files", "command"},
    {"backend", "autograd"},
    {"ops"},
    {"nn", "optim", "models", "losses", "metrics", "fields", "data"},
    {"methods", "evaluation", "viz"},
    {"training"},
    {"train", "register", "apply", "evaluate", "classify", "gradcheck", "demo"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MOST_FLOORS = 9  # that a drawing of the imports may have
COMMANDS = [
    f"minireg.{command}" for command in ("train", "evaluate", "register", "apply", "classify", "gradcheck", "demo")
]


def name_of(path):
    """minireg/data/pairs.py is the module minireg.data.pairs."""
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def room_of(module):
    """minireg.data.pairs is in the room data; the package's own face is in none."""
    return module.split(".")[1] if "." in module else None


MODULES = {name_of(path) for path in FILES}


def imports(path):
    """The names of all modules that a file imports, wherever in it, those of the package down to the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                found.add(deeper if deeper in MODULES else node.module)
    lifted = {"minireg.autograd"} if "minireg" in found and path != ROOT / "__init__.py" else set()  # Tensor, no_grad
    return found | lifted


def rooms_below():
    """For each room the rooms that its files import."""
    below = {}
    for path in FILES:
        room = room_of(name_of(path))
        if room is not None:
            others = {room_of(name) for name in imports(path) if name.startswith("minireg.")}
            below.setdefault(room, set()).update(others - {room, None})
    return below


def test_every_room_has_a_floor():
    assert rooms_below().keys() == FLOOR_OF.keys()


def test_imports_only_descend():
    upward = [
        f"{room} imports {other}"
        for room, others in rooms_below().items()
        for other in others
        if FLOOR_OF[other] > FLOOR_OF[room]
    ]
    assert not upward


def test_no_rooms_import_each_other_in_a_circle_and_a_drawing_has_at_most_nine_floors():
    heights = {}
    for room in graphlib.TopologicalSorter(rooms_below()).static_order():  # raises CycleError, which names the circle
        heights[room] = 1 + max((heights[other] for other in rooms_below()[room]), default=0)
    assert max(heights.values()) <= MOST_FLOORS


def test_no_files_import_each_other_in_a_circle_not_even_through_their_face():
    graph = {name_of(path): {name for name in imports(path) if name in MODULES} - {name_of(path)} for path in FILES}
    assert (
        set(graphlib.TopologicalSorter(graph).static_order()) == MODULES
    )  # a circle raises CycleError, which names it


@pytest.mark.parametrize("face", FACES, ids=name_of)
def test_a_face_says_what_its_folder_is_for_and_holds_no_logic(face):
    tree = ast.parse(face.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body[1:]:
        assert isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign)), f"line {node.lineno}"
    loops = (ast.comprehension, ast.Lambda, ast.IfExp, ast.BoolOp, ast.BinOp)
    assert not any(isinstance(node, loops) for node in ast.walk(tree))


def test_only_the_backend_imports_cupy():
    mention = [
        path.name
        for path in FILES
        if any(name.split(".")[0] in ("cupy", "cupyx") for name in imports(path))
        or any(
            isinstance(node, ast.Constant) and node.value in ("cupy", "cupyx")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]
    assert mention == ["backend.py"]


def test_numpy_is_called_np_everywhere():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    assert alias.name != "numpy" or alias.asname == "np", path


# Importing changes nothing; a command line sets up its own process


def run_python(code, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment["PYTHONPATH"] = str(ROOT.parent)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_all_of_the_package_and_computing_leaves_the_process_as_it_was():
    modules = sorted(name for name in MODULES if not name.endswith(".__main__"))
    out = run_python(f"""
import ctypes, importlib, os, signal
import numpy  # whatever it does is not ours
libraries, load = [], ctypes.CDLL
ctypes.CDLL = lambda *args, **options: libraries.append(args[0]) or load(*args, **options)
before = dict(os.environ), signal.getsignal(signal.SIGINT), numpy.geterr()
for module in {modules}:
    importlib.import_module(module)
from minireg import Tensor
(Tensor([1.0], requires_grad=True) * 2).sum().backward()
assert (dict(os.environ), signal.getsignal(signal.SIGINT), numpy.geterr()) == before
assert None not in libraries  # ctypes.CDLL(None) is the C library, where mallopt is
print("as it was")
""")
    assert out == "as it was\n"


def test_the_face_of_the_package_loads_nothing_before_a_name_of_it_is_used():
    run_python("""
import sys
import minireg
assert "numpy" not in sys.modules
assert minireg.Tensor is minireg.autograd.Tensor and minireg.ops.warp and "numpy" in sys.modules
try:
    minireg.tensor
except AttributeError as error:
    assert str(error) == "module 'minireg' has no attribute 'tensor'"
else:
    raise AssertionError
""")


@pytest.mark.parametrize(
    "statement",
    ["from minireg import Tensor", "from minireg.autograd import Tensor", "import minireg.nn; Tensor = minireg.Tensor"],
)
@pytest.mark.parametrize("use", ["x * x", "2 - x", "x.T", "x[0]", "abs(-x)", "x.sum()", "x @ x.T", "x.reshape(-1)"])
def test_a_tensor_has_its_operators_however_it_was_imported(statement, use):
    run_python(
        f"{statement}; x = Tensor([[1.0, 2.0]], requires_grad=True); ({use}).sum().backward(); assert x.grad.any()"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_line_sets_up_its_process_before_numpy_is_loaded(command):
    out = run_python(
        """
import ctypes, os, runpy, sys
seen, libraries, load = [], [], ctypes.CDLL
ctypes.CDLL = lambda *args, **options: libraries.append(args[0]) or load(*args, **options)

class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            seen.append((os.environ.get("OPENBLAS_NUM_THREADS"), None in libraries))

sys.meta_path.insert(0, Spy())
command = sys.argv[1]
sys.argv = [command, "--help"]
try:
    runpy.run_module(command, run_name="__main__", alter_sys=True)
except SystemExit as left:
    assert left.code == 0
print(seen)
""",
        command,
    )
    assert out.splitlines()[-1] == "[('1', True)]"
