"""The lessons run, and the checks of the exercises know right from wrong."""

import ast
import contextlib
import importlib
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from wrong_answers.edits import WRONG

from lessons.check.calling import Hint
from lessons.check.checking import alike, examine
from lessons.check.edits import blocks, edited
from minireg import Tensor, backend, fields, losses, ops

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
NUMBERS = [path.name[:2] for path in LESSONS]
STRICT = {"MINIREG_STRICT_CLAIMS": "1"}  # a claim that does not hold ends the lesson
NEW_CODE = 120  # lines at most: in the cells that are not folded, without imports, comments and empty lines
NOT_NEW = ("#", "import ", "from ")

# Before a lesson: its figures are made, but not painted, where nobody looks at them. To paint takes as long as many a
# lesson.
UNPAINTED = """
from matplotlib.figure import Figure
Figure.savefig = lambda figure, file, **options: file.write(b"not painted")
"""
# Run a lesson on a backend of the tests, as its command line would on the user's.
ON_STRICT = """
import runpy, sys
sys.path[:0] = [{tests!r}, {lessons!r}]
from strict_backend import StrictBackend
from minireg import backend
backend.BACKENDS["strict"] = StrictBackend
sys.argv = [{lesson!r}, "--backend", "strict", "--figures", {figures!r}, *{knobs!r}]
runpy.run_path({lesson!r}, run_name="__main__")
"""


def run(arguments, folder, **variables):
    """Run Python with every warning an error, away from the checkout, and return what it wrote."""
    environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"} | variables
    environment["MPLCONFIGDIR"] = str(folder.parent / "matplotlib")  # its font cache is made once
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=600
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    assert not finished.stderr, finished.stderr
    return finished.stdout


def knobs(lesson):
    """The values to try of every knob."""
    found = {}
    for node in ast.walk(ast.parse(lesson.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "knob":
            found[node.args[0].value] = list(ast.literal_eval(node.args[2]))
    return found


def quickest(lesson):
    """The knobs that make a lesson short: to see that it runs; its claims need all of what it trains or tries."""
    return {name: min(values) for name, values in knobs(lesson).items() if name in ("steps", "trials", "count")}


def as_options(turned):
    return [word for name, value in turned.items() for word in ("--knob", f"{name}={value!r}")]


def run_on_strict(lesson, figures, folder, before=""):
    """The lesson on the stand-in for a GPU, which refuses to mix its arrays with those of the host, and is slower."""
    paths = {"tests": ROOT / "tests", "lessons": ROOT / "lessons", "lesson": lesson, "figures": figures}
    code = ON_STRICT.format(**{name: str(path) for name, path in paths.items()}, knobs=as_options(quickest(lesson)))
    run(["-c", before + code], folder, **{} if quickest(lesson) else STRICT)


def figures_of(lesson):
    saved = re.findall(r'lesson\.(save|animate)\(\w+, "(\w+)"\)', lesson.read_text())
    return {f"{lesson.name[:2]}_{name}.{'png' if how == 'save' else 'gif'}" for how, name in saved}


def test_the_lessons_are_numbered_without_a_gap():
    assert [f"{number:02d}" for number in range(1, len(LESSONS) + 1)] == NUMBERS


@pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)
def test_a_lesson_runs_without_a_warning_and_leaves_its_figures(lesson, tmp_path, chosen_backend):
    # With MNIST, where its folder is named. That the claims hold for drawn digits too, and with NumPy as it is, is seen
    # when the site is built; so a lesson that does not take long runs on the stand-in here, which is NumPy and more.
    figures = tmp_path / "figures"
    if chosen_backend.name == "cupy" or (chosen_backend.name == "numpy" and quickest(lesson)):
        run([str(lesson), "--backend", chosen_backend.name, "--figures", str(figures)], tmp_path, **STRICT)
    else:
        run_on_strict(lesson, figures, tmp_path)
    assert {path.name for path in figures.iterdir()} == figures_of(lesson)
    assert len(figures_of(lesson)) >= 3
    assert all(path.stat().st_size > 5000 for path in figures.iterdir())


@pytest.mark.parametrize("lesson", list(filter(quickest, LESSONS)), ids=lambda lesson: lesson.name[:2])
def test_a_lesson_that_takes_long_keeps_host_and_device_apart(lesson, tmp_path, chosen_backend):
    if chosen_backend.name != "numpy":
        pytest.skip("the other test has run it on this backend")
    figures = tmp_path / "figures"
    run_on_strict(lesson, figures, tmp_path, before=UNPAINTED)
    assert {path.name for path in figures.iterdir()} == figures_of(lesson)  # it came to its end


@pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)
def test_a_lesson_states_what_it_needs_and_has_little_code(lesson):
    text = lesson.read_text()
    head = text.split("# %%", 2)[1]
    for statement in ("**You need**", "**You will know**", "**Time**"):
        assert statement in head
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    code = [cell for cell in cells if not cell.startswith((" [markdown]", ' tags=["hide-input"]'))]
    lines = [line.strip() for cell in code for line in cell.splitlines()[1:]]
    lines = [line for line in lines if line and not line.startswith(NOT_NEW)]
    assert len(lines) <= NEW_CODE
    assert f"python -m lessons.check {lesson.name[:2]}" in text


def exercises(number):
    return importlib.import_module(f"lessons.check.lesson_{number}").EXERCISES


ALL = [
    pytest.param(number, exercise, id=f"{number}-{exercise.name}")
    for number in NUMBERS
    for exercise in exercises(number)
]
of_every_exercise = pytest.mark.parametrize("number, exercise", ALL)


@of_every_exercise
def test_a_stub_is_not_written_yet_and_a_solution_is_right(number, exercise):
    stubs = importlib.import_module(f"lessons.exercises.lesson_{number}")
    assert examine(exercise, getattr(stubs, exercise.name)) is not None
    assert examine(exercise, exercise.solution) is None


@pytest.mark.parametrize("form", [np.float32, lambda array: array.tolist()], ids=["float32", "lists"])
@of_every_exercise
def test_a_right_answer_in_another_form_is_right(number, exercise, form):
    if exercise.name in ("linear", "topological_order", "is_right", "directional_derivative"):
        pytest.skip("returns no numbers, or is asked for float64")
    if exercise.name == "sum_to_shape" and form is not np.float32:
        pytest.skip("is asked for an array")

    def answer(*arguments):
        result = exercise.solution(*arguments)
        return tuple(map(float, result)) if isinstance(result, tuple) else form(result)

    assert examine(exercise, answer) is None


@of_every_exercise
def test_every_example_in_a_docstring_is_true_and_a_case(number, exercise):
    stub = getattr(importlib.import_module(f"lessons.exercises.lesson_{number}"), exercise.name)
    calls = []

    def recorded(*arguments):
        calls.append(arguments)
        return exercise.solution(*arguments)

    for value, stated in results_of_the_example(stub, recorded):
        assert stated is None or np.allclose(value, stated, atol=5e-4)
    assert calls
    for arguments in calls:
        assert any(all(map(same_argument, arguments, case)) for case in exercise.cases.values())


def results_of_the_example(stub, function):
    """(value, what the comment behind it states, or None) of every expression in a docstring's example."""
    _, _, example = inspect.cleandoc(stub.__doc__).partition("Example")
    code = textwrap.dedent("\n".join(line for line in example.splitlines()[1:] if line[:4].isspace()))
    names = {"np": np, stub.__name__: function}
    for statement in ast.parse(code).body:
        source = ast.get_source_segment(code, statement)
        if isinstance(statement, ast.Expr):
            value = eval(source, names)
            behind = code.partition(source)[2].lstrip()
            yield value, stated(behind.splitlines()[0][1:].strip()) if behind.startswith("#") else None
        else:
            exec(source, names)


def stated(comment):
    """The value with which a comment begins."""
    for end in range(len(comment), 0, -1):
        with contextlib.suppress(SyntaxError, NameError):
            return eval(comment[:end], {"array": np.array})


def same_argument(a, b):
    if callable(a):
        return a.__code__.co_code == b.__code__.co_code
    return isinstance(a, np.random.Generator) or (np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b)


@of_every_exercise
def test_a_mistake_is_an_edit_that_changes_the_results_in_a_way_of_its_own_and_gets_its_own_hint(number, exercise):
    assert len({mistake.hint for mistake in exercise.all_mistakes}) <= 8
    assert len(list(blocks(exercise.telling))) + len(exercise.properties) <= 5
    known = [exercise.right]
    for mistake, made in zip(exercise.all_mistakes, exercise.made, strict=True):
        assert mistake.function is not None, f"does not apply: {mistake.edit}"
        assert not all(isinstance(outcome, Hint) for outcome in made), f"{mistake.edit}: {made[0]}"
        assert not any(all(map(alike, made, other)) for other in known), f"nothing new: {mistake.edit}"
        known.append(made)
        assert examine(exercise, mistake.function).startswith(f"{mistake.hint}\n")


@of_every_exercise
def test_a_telling_expression_has_a_value(number, exercise):
    for expression, _ in blocks(exercise.telling):
        assert np.all(np.isfinite(np.asarray(eval(expression, {**exercise.names, "f": exercise.solution}))))


@of_every_exercise
def test_a_typical_wrong_answer_gets_the_hint_that_fits(number, exercise):
    _, _, below = WRONG.partition(f"\n{exercise.name}\n")
    answers = [line.strip().split(" :: ") for line in re.match(r"(    .*\n)*", below)[0].splitlines()]
    assert len(answers) >= 5
    for edits, fragment in answers:
        function = edited(exercise.solution, *edits.split(" && "))
        assert function is not None, f"does not apply: {edits}"
        hint = examine(exercise, function)
        assert hint is not None and fragment in hint, f"{edits}: {hint}"


def by_warp(image, u, **more):
    return backend.to_host(ops.warp(*(backend.to_device(np.array(x, float)) for x in (image, u)), **more).data)


def gradients(op, cotangent, *inputs):
    """The gradients of one of the project's operations with respect to its inputs, computed by the engine."""
    tensors = [Tensor(backend.to_device(np.array(x)), requires_grad=True) for x in inputs]
    op(*tensors).backward(backend.to_device(np.array(cotangent)))
    return [backend.to_host(tensor.grad) for tensor in tensors]


def by_complex_numbers(height, width, degrees):
    rows, columns = np.indices((height, width))
    z = columns - (width - 1) / 2 - 1j * (rows - (height - 1) / 2)  # the pixel there looks at z exp(-i angle)
    step = z * np.exp(-1j * np.radians(degrees)) - z
    return np.stack([-step.imag, step.real], axis=-1)


def by_fields_compose(first, second):
    both = fields.compose(*(backend.to_device(u[None].astype(float)) for u in (first, second)))
    return backend.to_host(both.data)[0]


def by_ops_sample(images, r, c):
    return by_warp(images, np.stack([r, c], axis=-1) - np.moveaxis(np.indices(r.shape[1:]), 0, -1), border="edge")


def by_its_own_pixels(image, x, y):
    r, c = (y + 1) / 2 * (image.shape[0] - 1), (x + 1) / 2 * (image.shape[1] - 1)
    return by_ops_sample(image[None, :, :, None], r.reshape(1, 1, -1), c.reshape(1, 1, -1)).reshape(x.shape)


def by_angle_quotient(g_u, angle, h=1e-5):
    def field(h, w, angle):
        down, right = np.mgrid[:h, :w] - np.array([(h - 1) / 2, (w - 1) / 2])[:, None, None]
        cosine, sine = np.cos(angle), np.sin(angle)
        return np.stack([cosine * down + sine * right, cosine * right - sine * down], -1)

    steps = [field(*g_u.shape[1:3], a + h) - field(*g_u.shape[1:3], a - h) for a in angle]
    return np.sum(g_u * np.array(steps), axis=(1, 2, 3)) / (2 * h)


def by_loss_quotient(u, moving, fixed, mask, h=0.02):
    """Towards larger u. Within a cell the loss is a parabola, for which this one is exact."""
    field = lambda u: np.broadcast_to(u, (1, *moving.shape[:2], 2))
    loss = lambda e: np.mean((by_warp(moving[None], field(u + e))[0][mask] - fixed[mask]) ** 2)
    return np.array([(4 * loss(e) - loss(2 * e) - 3 * loss(0 * e)) / (2 * h) for e in h * np.eye(2)])


def by_interp(v, x, steps):
    for _ in range(steps):
        x = x + np.interp(x, np.arange(len(v)), v) / steps
    return x


def by_velocity_quotient(g, v, x, steps, h=1e-6):
    """A little to the right of x, as the exercise asks at kinks."""
    ends = [by_interp(v + e, x + h, steps) - by_interp(v - e, x + h, steps) for e in h * np.eye(len(v))]
    return np.array(ends) @ g / (2 * h)


def by_hat_quotient(g, x, bins, h=1e-7):
    """To the right of x, and at 1 to its left."""
    hats = lambda x: np.stack([np.interp(x * (bins - 1), np.arange(bins), hat) for hat in np.eye(bins)], axis=1)
    ahead = np.where(x == 1, -h, h)
    return np.sum(g * (hats(x + ahead) - hats(x)), axis=1) / ahead


def by_unexplained_quotient(a, b, bins, h=1e-7):
    def loss(a):
        hats = np.stack([np.interp(a * (bins - 1), np.arange(bins), hat) for hat in np.eye(bins)])
        within = [np.average((b - np.average(b, weights=hat)) ** 2, weights=hat) for hat in hats if hat.any()]
        return np.sum(np.array(within) * hats.sum(axis=1)[hats.any(axis=1)]) / len(a)

    return np.array([(loss(a + e) - loss(a)) / e.sum() for e in np.diag(np.where(a == 1, -h, h))])


def by_homogeneous_coordinates(first, second):
    square = lambda maps: np.insert(maps, 2, [0, 0, 1], axis=1)
    return (square(second) @ square(first))[:, :2]


def by_singular_values(p, q):
    """Kabsch's way: the rotation nearest to the matrix of all products."""
    x, y = p - p.mean(axis=0), q - q.mean(axis=0)
    left, _, right = np.linalg.svd(y.T @ x)
    turn = left @ np.diag([1, np.linalg.det(left @ right)]) @ right
    return np.array([np.arctan2(turn[0, 1], turn[0, 0]), *(q.mean(axis=0) - turn @ p.mean(axis=0))])


def by_affine_least_squares(y, fixed, slopes):
    """Each number of the map makes a field, and each field changes the image."""
    unit = np.eye(6).reshape(6, 2, 3) + np.eye(2, 3)
    u = backend.to_host(fields.affine_displacement(backend.to_device(unit), *y.shape).data)
    changes = np.sum(u * slopes, axis=-1).reshape(6, -1)
    return np.linalg.lstsq(changes.T, (fixed - y).ravel())[0].reshape(2, 3)


def by_counting_wins(scores, draws):
    wins = np.zeros(len(scores))
    for pairs in draws:
        totals = [sum(row[k] for k in pairs) for row in scores]
        wins += [(total == max(totals)) / totals.count(max(totals)) for total in totals]
    return wins / len(draws)


def by_pooled_groups(values, groups, draws):
    members = [values[groups == number] for number in sorted(set(groups.tolist()))]
    means = [np.concatenate([members[g] for g in row]).mean() for row in draws]
    return [np.quantile(means, share) for share in (0.025, 0.975)]


def by_made_up_values(counts, means, variances):
    values = []
    for n, mean, variance in zip(counts, means, variances, strict=True):
        ladder = np.arange(n) - (n - 1) / 2
        values += list(mean + ladder / max(ladder.std(), 1e-9) * np.sqrt(variance))
    return np.mean(values), np.var(values)


def by_who_has_come_round(parts, steps):
    """How many ranks to the left of r a part b began says what has reached r by then."""
    size = len(parts)
    held = np.array(parts, float)
    for r, b in np.ndindex(parts.shape):
        way = (r - b) % size
        if steps >= size + way or 1 <= way <= steps:
            whose = range(size) if steps >= size + way else [(b + k) % size for k in range(way + 1)]
            held[r, b] = sum(parts[k, b] for k in whose)
    return held


def by_warped_way_back(u, w, spacing):
    places = u + np.moveaxis(np.indices(u.shape[:2]), 0, -1)
    inside = np.all((places >= 0) & (places <= np.array(w.shape[:2]) - 1), axis=-1)
    down, right = np.moveaxis((u + by_warp(w[None], u[None], border="edge")[0]) * spacing, -1, 0)
    return np.hypot(down, right)[inside].mean()


INDEPENDENT = {  # the same by the project's own functions, by NumPy, or by differences
    "rotation": by_complex_numbers,
    "warp_whole": by_warp,
    "compose": by_fields_compose,
    "sample_line": lambda line, c: np.interp(c, np.arange(-1, len(line) + 1), [0, *line, 0]),
    "sample": by_ops_sample,
    "sample_2020": by_its_own_pixels,
    "ncc_of_pairs": lambda a, b: [
        np.corrcoef(x.ravel(), y.ravel())[0, 1] if np.ptp(x) and np.ptp(y) else 0
        for x, y in zip(a.astype(float), b.astype(float), strict=True)
    ],
    "best_contrast": lambda a, b: tuple(np.polyfit(a.ravel(), b.ravel(), 1)) if np.ptp(a) else (0, b.mean()),
    "masked_mse": lambda a, b, mask: [
        np.mean((x[m] - y[m]) ** 2) if m.any() else 0 for x, y, m in zip(a, b, mask, strict=True)
    ],
    "slope_of_masked_loss": by_loss_quotient,
    "gauss_newton_step": lambda y, fixed, dy_du: np.linalg.lstsq(dy_du.reshape(-1, 2), (fixed - y).ravel())[0],
    "linear": lambda x, weight, g: (x @ weight, *gradients(lambda x, weight: x @ weight, g, x, weight)),
    "directional_derivative": lambda f, x, d: (f(x + 1e-6 * d) - f(x - 1e-6 * d)) / 2e-6,
    "vjp_displacement": lambda g, image, u: gradients(ops.warp, g, image, u)[1],
    "vjp_image": lambda g, u: gradients(ops.warp, g, 0 * g, u)[0],
    "vjp_ncc_b": lambda g, a, b: gradients(ops.ncc, g, a, b)[1],
    "vjp_centre_inside": lambda g, mask: gradients(
        lambda a: a - (backend.to_device(mask) * a).sum() / float(mask.sum()), g, 0 * g
    )[0],
    "gradient_of_rotation": by_angle_quotient,
    "folding_gradient": lambda u: gradients(losses.folding_penalty, 1.0, u[None])[0][0],
    "back_from_steps": lambda g, weight, stride, size: gradients(
        lambda x: ops.conv2d(x, backend.to_device(weight), stride=stride),
        g[None],
        np.zeros((1, *size, weight.shape[2])),
    )[0][0],
    "dice_of_pairs": lambda a, b, threshold: [
        2 * np.sum((x > threshold) & (y > threshold)) / max(np.sum(x > threshold) + np.sum(y > threshold), 1)
        if np.any(x > threshold) or np.any(y > threshold)
        else 1
        for x, y in zip(a, b, strict=True)
    ],
    "flow_line": by_interp,
    "inverse": lambda u, iterations: fields.invert(u[None].astype(float), iterations, 0, 1.0)[0][0],
    "vjp_flow_line": by_velocity_quotient,
    "share_by_luck": lambda d: np.mean(
        [abs(sum(-x if way >> k & 1 else x for k, x in enumerate(d))) >= abs(sum(d)) for way in range(2 ** len(d))]
    ),
    "first_places": by_counting_wins,
    "interval_of_groups": by_pooled_groups,
    "compose_affine": by_homogeneous_coordinates,
    "rigid_from_points": by_singular_values,
    "gauss_newton_affine": by_affine_least_squares,
    "questions_left": lambda counts: (
        sum(n * np.log2(sum(row) / n) for row in counts.tolist() for n in row if n) / np.sum(counts)
    ),
    "vjp_hat": by_hat_quotient,
    "unexplained_gradient": by_unexplained_quotient,
    "confusion": lambda z, labels: [
        [np.sum((np.argmax(z, axis=1) == j) & (labels == i)) / max(np.sum(labels == i), 1) for j in range(z.shape[1])]
        for i in range(z.shape[1])
    ],
    "half_square_gradient": lambda g, z, labels: gradients(
        lambda z: ((ops.softmax(z) - backend.to_device(np.eye(z.shape[1])[labels])) ** 2).sum(axis=1) * 0.5, g, z
    )[0],
    "window_of_body": lambda image, outside, low, high: np.where(
        image == outside, 0, np.interp(image, np.percentile(image[image != outside], [low, high]), [0, 1])
    ),
    "from_home": by_warped_way_back,
    "vjp_max_pool": lambda g, x: gradients(lambda x: ops.max_pool2d(x, 2), g, x)[0],
    "gradient_of_all": lambda gradients, counts: np.mean(np.repeat(gradients, counts, axis=0), axis=0),
    "merged": by_made_up_values,
    "ring": by_who_has_come_round,
}


@of_every_exercise
def test_a_solution_agrees_with_another_way_to_compute_it(number, exercise):
    if exercise.name in INDEPENDENT:
        function = INDEPENDENT[exercise.name]
        for arguments, right in zip(exercise.cases.values(), exercise.right, strict=True):
            results = function(*arguments)
            for ours, theirs in zip(right, results if isinstance(results, tuple) else [results], strict=False):
                assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * (np.abs(ours).max() + 1e-9))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_has_two_or_three_exercises(number):
    assert 2 <= len(exercises(number)) <= 3
