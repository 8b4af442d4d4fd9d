"""What is on the page, and what happens when. What a session has drawn is in its own state, and nowhere else."""

import html

import numpy as np

from minireg.data import draw_digits
from minireg.demo.pad import pad
from minireg.demo.registering import STRAIGHT, WAYS, animated, numbers, pictures, remark, sketch_of
from minireg.errors import MiniregError

EXAMPLE, EXAMPLE_SEED = 4, 6  # two drawn fours, for a beginning

# Fonts of the reader's own computer: gradio's own would be fetched from a server.
FONTS = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
STYLE = """
.gradio-container { max-width: 1000px !important; margin: auto; }
.picture img { width: 100%; max-width: 900px; background: white; }
#message:not(:empty) { font-weight: 600; }
#numbers { contain: inline-size; overflow-x: auto; }  /* on a phone the table scrolls, not the page */
#numbers th, #numbers td { padding: 3px 8px; text-align: right; white-space: normal; font-size: 0.9em; }
#numbers th:first-child, #numbers td:first-child { text-align: left; }
"""

INTRODUCTION = """
# Bend one digit onto another

Draw a digit into the square *Moving*, and the same digit in another hand into the square *Fixed*. Then press
*Register*. A small neural network says for every pixel how far it has to look to find its counterpart, and the moving
digit is bent until it lies on the fixed one, which stays as it is. That is **image registration**: finding out where
every point of one image is in another. With two scans of a head, a year apart, it shows what has grown. With digits one
sees how it works.
"""
MOVES = """The way straight ahead, whatever is chosen below: above by the network, below by network+refine. White: where
both digits lie."""
HINTS = """
**What to look at.** Does *warped* look like *fixed*? What is left of a difference is red and blue. In the last picture
the grid shows where each pixel of the warped image looked, arrows lead there, and log |J| says where the digit grew
(orange) and shrank (purple); the wheel shows which colour stands for which direction. A red cell is a *fold*: space
turned inside out, which no real body does.

**The numbers.** *NCC* says how alike two images are: 1 is equal up to brightness and contrast, 0 has nothing in common.
*Folded cells* should be 0. The network answers at once; *network+refine* goes on from its answer, step by step, for
this one pair.

**The slider.** At 0 nothing has moved, at 1 is the result. On the way every pixel's look can go straight ahead, which
is the field *u* times *t*; or along a flow, as in a stream that never changes, which ends near the result.
Table and animation are of the way straight ahead.

**Try this.** Exchange the digits: the field back undoes the field there. Register a 3 to an 8: a loop has to be closed,
but bending cannot glue. Register an image to itself. Write very slanted, or very small.
"""


def page(registrar, digits):
    """The page, gradio's Blocks, not yet served.

    registrar : `Registrar`
    digits : `data.Digits`, to pick from
    """
    import gradio as gr

    images, labels = digits.split("test")
    source = "MNIST" if digits.name == "mnist" else "the digits that the program draws"
    examples = [sketch_of(image) for image in draw_digits(np.full(2, EXAMPLE), np.random.default_rng(EXAMPLE_SEED))]

    def pick(digit):
        """The address of a random image of a digit."""
        return sketch_of(images[np.random.default_rng().choice(np.flatnonzero(labels == int(digit)))])

    def register(moving, fixed, t, way):
        try:
            for registered in registrar(moving, fixed):
                yield registered, _table(numbers(registered)), *show(registered, t, way), ""
        except MiniregError as error:
            yield None, "", str(error), "", "", ""

    def show(registered, t, way):
        if registered is None:
            return "", "", ""
        images, fields = pictures(registered, t, way)
        rows = f"one row for each of {', '.join(registered.names)}"
        return (
            remark(registered, way),
            _picture(images, f"The digits at t = {t:g}, their differences and the grid: {rows}"),
            _picture(fields, f"Overlays, grid, arrows, directions and log |J| at t = {t:g}: {rows}"),
        )

    def animate(registered):
        if registered is None:
            return ""
        words = (
            f"Animation of {' (above) and '.join(registered.names)}: the grid, the digit as it bends, and the overlay"
        )
        return _picture(animated(registered), words, MOVES)

    with gr.Blocks(title="minireg: bend one digit onto another", analytics_enabled=False) as blocks:
        gr.Markdown(INTRODUCTION)
        pads, picks = [], []
        with gr.Row():
            for name, label, example in zip(("moving", "fixed"), ("Moving", "Fixed"), examples, strict=True):
                with gr.Column(min_width=300):
                    pads.append(pad(label, example, name))
                    picked = gr.Dropdown(list("0123456789"), value=str(EXAMPLE), label=f"or pick one from {source}")
                    picks.append((gr.Button(f"Pick the {name} digit", size="sm", elem_id=f"pick-{name}"), picked))
        with gr.Row():
            exchange = gr.Button("Exchange them", elem_id="exchange")
            start = gr.Button("Register", variant="primary", elem_id="register")
        message = gr.Markdown(elem_id="message")
        table = gr.HTML(elem_id="numbers", apply_default_css=False)
        moves = gr.HTML(elem_id="animation", elem_classes="picture")
        with gr.Row():
            t = gr.Slider(0, 1, value=1, step=0.05, label="The way from the moving image (0) to the result (1)")
            way = gr.Radio(WAYS, value=STRAIGHT, label="Go")
        first = gr.HTML(elem_id="images", elem_classes="picture")
        second = gr.HTML(elem_id="fields", elem_classes="picture")
        gr.Markdown(HINTS)

        session = gr.State()  # what this session has registered last
        # One thing at a time, whoever asks: the pictures' library is not made for several threads.
        one = {"concurrency_id": "one", "concurrency_limit": 1, "api_visibility": "private"}
        shown = [message, first, second]
        for event in (start.click, blocks.load):
            done = event(register, [*pads, t, way], [session, table, *shown, moves], show_progress_on=[message], **one)
            done.then(animate, session, moves, show_progress="hidden", **one)
        for event in (t.change, way.change):
            event(show, [session, t, way], shown, trigger_mode="always_last", show_progress="hidden", **one)
        for (button, picked), target in zip(picks, pads, strict=True):
            button.click(pick, picked, target, show_progress="hidden", **one)
        exchange.click(lambda *both: both[::-1], pads, pads, show_progress="hidden", **one)
    return blocks


def _picture(address, words, below=""):
    return f'<img src="{address}" alt="{html.escape(words)}"><p>{below}</p>'


def _table(rows):
    names = ("", "NCC", "folded cells", "longest way, pixels", "milliseconds")
    lines = ["".join(f"<th>{name}</th>" for name in names)]
    lines += ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
