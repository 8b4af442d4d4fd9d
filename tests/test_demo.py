"""The demo: what it computes, what it refuses, its network; and its page in a browser, drawn on with the mouse.

The page needs gradio (the extra `demo`) and chromium; without them the tests of the page are skipped.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from short_runs import complaint
from test_site import Browser

from minireg import metrics
from minireg.data import draw_digits, load_data
from minireg.demo import __main__ as demo
from minireg.demo import network, registering
from minireg.demo.registering import FLOW, STRAIGHT, Registrar, sketch_of
from minireg.errors import InputError
from minireg.evaluation import mean_scores, score_pairs
from minireg.fields import warp_images
from minireg.methods import register
from minireg.training import load_network
from minireg.training.checkpoint import load_checkpoint

PATIENCE = 180  # seconds that the page has, on a machine that does other things
NCC = 0.965  # of the network that comes along, on 100 held-out pairs of MNIST
SAME = 0.005  # by which scores differ where the library of matrix products is another one, and rounds otherwise


@pytest.fixture
def registrar(chosen_backend):
    if chosen_backend.name != "numpy":
        pytest.skip("what is told about the demo is told for NumPy")
    trained, configuration = load_network(network.NETWORK)
    return Registrar(trained, configuration.loss)


def fours(seed=6):
    return [sketch_of(image) for image in draw_digits(np.full(2, 4), np.random.default_rng(seed))]


# --- What is computed


def test_the_network_comes_first_and_then_is_refined(registrar):
    first, both = registrar(*fours())
    assert (first.names, both.names) == (["network"], ["network", "network+refine"])
    assert (both.displacement[:1] == first.displacement).all()
    before, after = metrics.ncc(both.moving, both.fixed), metrics.ncc(warp_images(*both[1:4:2]), both.fixed)
    assert before[0] < 0.8 < 0.95 < after[0] < after[1]
    assert metrics.folded_cells(both.displacement).max() < 0.01
    names, ncc, *_ = zip(*registering.numbers(both), strict=True)
    assert names == ("before", "network", "network+refine")
    assert ncc == tuple(f"{value:.3f}" for value in (before[0], *after))


def test_the_way_begins_at_the_moving_image_and_ends_at_the_field(registrar):
    *_, both = registrar(*fours())
    for way in (STRAIGHT, FLOW):
        assert (registering.field_at(both.displacement, 0, way) == 0).all()
    assert (registering.field_at(both.displacement, 1, STRAIGHT) == both.displacement).all()
    assert (registering.field_at(both.displacement, 0.5, STRAIGHT) == both.displacement / 2).all()
    missed = registering.field_at(both.displacement, 1, FLOW) - both.displacement
    farthest = np.hypot(missed[..., 0], missed[..., 1]).max()
    assert 0 < farthest < 2
    assert registering.remark(both, STRAIGHT) == ""
    assert f"ends at most {farthest:.2f} pixels" in registering.remark(both, FLOW)


def test_equal_images_are_said_to_be_equal(registrar):
    one = fours()[0]
    *_, both = registrar(one, one)
    assert (both.displacement == 0).all()
    assert "Both images are the same" in registering.remark(both, STRAIGHT)
    for address in (*registering.pictures(both, 1, FLOW), registering.animated(both)):
        assert address.startswith("data:image/")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "nothing is drawn: draw a digit, or pick one"),
        (None, "nothing is drawn: draw a digit, or pick one"),
        (sketch_of(np.zeros((28, 28, 1))), "nothing is drawn: draw a digit, or pick one"),
        ("data:,unreadable", "this is no picture that can be read"),
        ("data:image/png;base64,äöü", "this is no picture that can be read"),
        ("no address", "this is no picture that can be read"),
        (["a", "list"], "expected a picture of at most 12 MB"),
        ("data:image/png;base64," + "A" * 2**24, "expected a picture of at most 12 MB"),
    ],
)
def test_what_is_no_drawing_is_refused_in_a_sentence_that_says_which(registrar, address, sentence):
    with pytest.raises(InputError) as error:
        next(registrar(fours()[0], address))
    assert str(error.value).startswith(f"The fixed image: {sentence}") and str(error.value).endswith(".")
    with pytest.raises(InputError, match=r"^The moving image: "):
        next(registrar(address, fours()[0]))


# --- The network that comes along


def test_the_network_is_small_and_is_what_its_command_trains():
    assert network.NETWORK.stat().st_size < 1_000_000
    meta, groups = load_checkpoint(network.NETWORK)
    assert groups.keys() == {"model"}
    assert meta.keys() == {"configuration"}
    assert network.OPTIONS.items() <= meta["configuration"].items()


@pytest.fixture
def mnist(chosen_backend):
    if chosen_backend.name != "numpy":
        pytest.skip("the scores are those of NumPy")
    if not os.environ.get("MINIREG_DATA"):
        pytest.skip("MINIREG_DATA names no folder with MNIST")
    return load_data("mnist", digit="all", pairing="random").held_out(100)


def scores_of(path, pairs):
    warped, displacement = register(load_network(path)[0], pairs.moving, pairs.fixed)
    return mean_scores(score_pairs(pairs, warped, displacement))


def test_the_network_has_the_scores_that_are_told(mnist):
    scores = scores_of(network.NETWORK, mnist)
    assert scores["ncc"] == pytest.approx(NCC, abs=0.001)
    assert scores["folded_cells"] < 0.001


def test_trained_again_the_network_has_the_same_scores(mnist, tmp_path):
    assert network.main(["--out", str(tmp_path / "again.npz")]) == 0  # 50 seconds on one core
    again, before = (scores_of(path, mnist) for path in (tmp_path / "again.npz", network.NETWORK))
    for name in ("ncc", "ssim", "dice"):
        assert again[name] == pytest.approx(before[name], abs=SAME), name
    assert again["folded_cells"] < 0.001


# --- The command line


def test_without_gradio_a_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)  # an import of it fails
    sentence = complaint(capsys, demo.main)
    assert "the demo needs gradio: python -m pip install 'minireg[demo]'" in sentence


def test_a_checkpoint_that_is_not_there_is_refused(capsys):
    pytest.importorskip("gradio")
    assert "there is no checkpoint nowhere.npz" in complaint(capsys, demo.main, "--checkpoint", "nowhere.npz")


def test_an_address_that_cannot_be_used_is_refused(capsys):
    pytest.importorskip("gradio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options in (["--port", port], ["--port", "99999"], ["--host", "not a host"], ["--host", "192.0.2.1"]):
            sentence = complaint(capsys, demo.main, *options)
            assert f"{' '.join(options)}: the port is in use or not one of 1 to 65535, or this computer" in sentence


# --- The page

# Runs in the process of the demo before anything else: whom it speaks to is written down.
WATCH = """
import json, os, sys
def note(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"):
        with open(os.environ["DEMO_SPOKE_TO"], "a") as file:
            file.write(f" {host}")
with open(os.environ["DEMO_SPOKE_TO"], "w") as file:
    file.write("nobody")
sys.addaudithook(note)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The demo as one starts it: its address, the file of its words, and that of the hosts that it spoke to."""
    pytest.importorskip("gradio")
    folder = tmp_path_factory.mktemp("demo")
    (folder / "sitecustomize.py").write_text(WATCH)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "DEMO_SPOKE_TO": str(folder / "spoke_to"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
        "HTTP_PROXY": "http://192.0.2.1:9",  # an address where nobody is: the page does without it
    }
    environment.pop("MINIREG_DATA", None)
    command = [sys.executable, "-m", "minireg.demo", "--port", str(port)]
    words = folder / "words"
    with words.open("w") as file:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    own = f"http://127.0.0.1:{port}/"
    until = time.monotonic() + PATIENCE
    while own not in words.read_text():
        assert process.poll() is None and time.monotonic() < until, words.read_text()
        time.sleep(0.2)
    yield own, words, folder / "spoke_to"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert "The demo has ended" in words.read_text()


class Visitor:
    """Somebody in front of the page, with a mouse."""

    def __init__(self, own, profile, width=1200):
        self.browser, self.own = Browser(profile), own
        self.browser.open(own, width)
        self.wait("document.querySelector('#animation img')?.alt.includes('refine')", "the example")

    def ask(self, expression):
        return self.browser.evaluate(expression)

    def wait(self, expression, what=""):
        until = time.monotonic() + PATIENCE
        while not self.ask(f"Boolean({expression})"):
            assert time.monotonic() < until, f"{what or expression}: {self.ask('document.body.innerText')}"
            time.sleep(0.2)

    def place(self, selector):
        """Where the middle of an element is, and how large it is; it is scrolled to."""
        return self.ask(
            f"""(() => {{
              const element = document.querySelector({json.dumps(selector)});
              element.scrollIntoView({{ block: "center", behavior: "instant" }});
              const box = element.getBoundingClientRect();
              return [box.left, box.top, box.width, box.height];
            }})()"""
        )

    def mouse(self, kind, x, y):
        button = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1, "clickCount": 1}
        self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def click(self, selector):
        left, top, width, height = self.place(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, left + width / 2, top + height / 2)

    def draw(self, pad, points):
        """A stroke through points (x, y) from 0 to 1 of a pad."""
        left, top, width, height = self.place(f"#{pad} canvas")
        places = [(left + x * width, top + y * height) for x, y in points]
        self.mouse("mousePressed", *places[0])
        for (x, y), (to_x, to_y) in itertools.pairwise(places):
            for t in np.linspace(0, 1, 8)[1:].tolist():
                self.mouse("mouseMoved", x + t * (to_x - x), y + t * (to_y - y))
        self.mouse("mouseReleased", *places[-1])

    def register(self):
        """Press the button, and wait until all is done: the pictures of both methods, and the animation."""
        self.ask("document.querySelectorAll('.picture img').forEach(image => image.dataset.old = 1)")
        self.click("#register")
        self.wait("document.querySelector('#animation img:not([data-old])')?.alt.includes('refine')", "registering")

    def refused(self, sentence):
        """Press the button, and wait for the sentence; then there is nothing else."""
        self.click("#register")
        self.wait(f"document.querySelector('#message').innerText.includes({json.dumps(sentence)})", sentence)
        return self.picture("images") is None and self.words("numbers") == ""

    def ink(self, pad):
        """How many pixels of a pad are white."""
        return self.ask(
            f"""(() => {{
              const canvas = document.querySelector("#{pad} canvas");
              const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
              return pixels.filter((value, index) => index % 4 == 0 && value > 128).length;
            }})()"""
        )

    def picture(self, name):
        return self.ask(f"document.querySelector('#{name} img')?.src")

    def words(self, name):
        return self.ask(f"document.querySelector('#{name}').innerText").strip()

    def ncc(self):
        """Before, by the network, and refined."""
        rows = [line.split("\t") for line in self.words("numbers").split("\n")]
        return [float(row[1]) for row in rows if row[0].strip() in ("before", "network", "network+refine")]

    def slide(self, t):
        """Type a number beside the slider."""
        old = self.picture("images")
        self.ask(
            f"""(() => {{
              const number = document.querySelector("input[type=number]");
              number.focus();
              number.value = {t};
              number.dispatchEvent(new Event("input", {{ bubbles: true }}));
              number.blur();
            }})()"""
        )
        words = f"at t = {t:g},"
        self.wait(f"document.querySelector('#images img').alt.includes('{words}')", f"t = {t}")
        return old

    def give(self, pad, path):
        """Choose a file for a pad."""
        root = self.browser.call("DOM.getDocument")["root"]["nodeId"]
        node = self.browser.call("DOM.querySelector", nodeId=root, selector=f"#{pad} input[type=file]")["nodeId"]
        old = self.ask(f"document.querySelector('#{pad} canvas').toDataURL()")
        self.browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
        self.wait(f"document.querySelector('#{pad} canvas').toDataURL() != {json.dumps(old)}", f"{path.name} is shown")

    def problems(self):
        """What the browser has to complain about, requests to elsewhere above all, and gradio's own alarms."""
        toasts = self.ask("[...document.querySelectorAll('.toast-body')].map(toast => toast.innerText)")
        return self.browser.problems(self.own) + toasts


@pytest.fixture
def visit(served, tmp_path):
    """Open the page; all visitors leave at the end, and nothing may have gone wrong."""
    own, words, spoke_to = served
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        pytest.skip("the page is looked at in chromium, which is missing: apt-get install chromium")
    with contextlib.ExitStack() as leaving:
        visitors = []

        def visit(**options):
            visitor = Visitor(own, tmp_path / f"profile{len(visitors)}", **options)
            leaving.callback(visitor.browser.close)
            visitors.append(visitor)
            return visitor

        yield visit
        assert [visitor.problems() for visitor in visitors] == [[] for _ in visitors]
    assert "Traceback" not in words.read_text()
    assert spoke_to.read_text() == "nobody"


ONE = [(0.35, 0.15), (0.6, 0.85)]
ANOTHER_ONE = [(0.7, 0.15), (0.4, 0.85)]
SEVEN = [(0.2, 0.2), (0.8, 0.2), (0.4, 0.85)]


def test_the_page_begins_with_an_example(visit):
    visitor = visit()
    before, alone, refined = visitor.ncc()
    assert before < 0.8 < 0.95 < alone < refined
    assert "image registration" in visitor.ask("document.body.innerText")
    assert all(visitor.picture(name).startswith("data:image/png") for name in ("images", "fields"))
    assert visitor.picture("animation").startswith("data:image/gif")


def test_digits_drawn_with_the_mouse_are_bent_onto_each_other(visit):
    visitor = visit()
    example = [visitor.picture(name) for name in ("images", "fields", "animation")]
    for pad, stroke in (("moving", ONE), ("fixed", ANOTHER_ONE)):
        visitor.click(f"#{pad} .clear")
        assert visitor.ink(pad) == 0
        visitor.draw(pad, stroke)
        assert 3000 < visitor.ink(pad) < 8000  # 22 pixels wide, 200 long
    visitor.register()
    mine = [visitor.picture(name) for name in ("images", "fields", "animation")]
    assert all(old != new for old, new in zip(example, mine, strict=True))
    before, alone, refined = visitor.ncc()
    assert before < 0.6 < 0.8 < alone < refined
    visitor.draw("moving", [(0.3, 0.5), (0.7, 0.5)])  # a stroke more is another digit
    visitor.register()
    assert visitor.picture("images") != mine[0]


def test_the_slider_goes_from_the_moving_image_to_the_result(visit):
    visitor = visit()
    result = visitor.picture("images")
    seen = {result}
    for t in (0, 0.5):
        visitor.slide(t)
        seen.add(visitor.picture("images"))
    assert len(seen) == 3
    half = visitor.picture("images")
    visitor.click("input[type=radio][value*=flow]")
    visitor.wait("document.querySelector('#message').innerText.includes('The flow ends at most')")
    assert visitor.picture("images") != half
    visitor.click("input[type=radio][value*=straight]")
    visitor.wait("!document.querySelector('#message').innerText.includes('The flow')")
    visitor.slide(1)
    assert visitor.picture("images") == result


def test_digits_can_be_picked_and_exchanged(visit):
    visitor = visit()
    address = "document.querySelector('#{} canvas').toDataURL()"
    for pad in ("moving", "fixed"):
        old = visitor.ask(address.format(pad))
        visitor.click(f"#pick-{pad}")
        visitor.wait(f"{address.format(pad)} != {json.dumps(old)}", "another digit")
    both = [visitor.ask(address.format(pad)) for pad in ("moving", "fixed")]
    visitor.click("#exchange")
    visitor.wait(f"{address.format('moving')} == {json.dumps(both[1])}", "the other digit")
    visitor.wait(f"{address.format('fixed')} == {json.dumps(both[0])}", "the other digit")
    visitor.register()
    assert len(visitor.ncc()) == 3


def test_bad_input_gets_a_sentence(visit, tmp_path):
    visitor = visit()
    visitor.click("#fixed .clear")
    assert visitor.refused("The fixed image: nothing is drawn: draw a digit, or pick one.")

    rows, columns = np.mgrid[:300, :400]
    photo = np.stack([rows / 2, columns / 2, 200 - rows / 2], axis=-1).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    visitor.give("fixed", tmp_path / "photo.jpg")
    assert visitor.refused("The fixed image: the picture is in colour")

    (tmp_path / "text.png").write_text("no picture")
    visitor.give("fixed", tmp_path / "text.png")
    assert visitor.refused("The fixed image: this is no picture that can be read")

    huge = Image.new("L", (6000, 5000), 255)  # black on white, as on paper
    huge.paste(0, (2500, 700, 3100, 4300))
    huge.save(tmp_path / "huge.png")
    visitor.give("fixed", tmp_path / "huge.png")
    visitor.register()
    assert len(visitor.ncc()) == 3  # it was made smaller


def test_the_same_digit_twice_gets_a_sentence(visit):
    visitor = visit()
    for pad in ("moving", "fixed"):
        visitor.click(f"#{pad} .clear")
        visitor.draw(pad, SEVEN)
    visitor.register()
    assert "Both images are the same, so nothing has to move" in visitor.words("message")
    assert visitor.ncc() == [1, 1, 1]


def test_two_visitors_at_a_time_do_not_see_each_others_digits(visit):
    first, second = visit(), visit()
    alone = {}
    strokes = {first: (ONE, ANOTHER_ONE), second: (SEVEN, [(y, x) for x, y in SEVEN])}
    for visitor, both in strokes.items():
        for pad, stroke in zip(("moving", "fixed"), both, strict=True):
            visitor.click(f"#{pad} .clear")
            visitor.draw(pad, stroke)
        visitor.register()
        alone[visitor] = [visitor.picture(name) for name in ("images", "fields", "animation")]
    assert all(one != other for one, other in zip(*alone.values(), strict=True))
    assert [first.picture(name) for name in ("images", "fields", "animation")] == alone[first]
    first.slide(0.5)  # of what the first one drew, though the second has registered since
    second.slide(0.5)
    assert first.picture("images") != second.picture("images")
    for visitor in (first, second):
        visitor.slide(1)
        assert visitor.picture("images") == alone[visitor][0]
    for visitor in (first, second):  # now at the same moment
        visitor.ask("document.querySelectorAll('.picture img').forEach(image => image.dataset.old = 1)")
        visitor.click("#register")
    for visitor in (first, second):
        visitor.wait("document.querySelector('#animation img:not([data-old])')?.alt.includes('refine')", "both")
        assert [visitor.picture(name) for name in ("images", "fields", "animation")] == alone[visitor]


def test_the_page_fits_a_phone(visit):
    visitor = visit(width=390)
    assert visitor.ask("document.documentElement.scrollWidth <= innerWidth")
    visitor.click("#moving .clear")
    visitor.draw("moving", ONE)
    assert visitor.ink("moving") > 3000
