"""The squares to draw in: white ink on black paper, as in MNIST. Their value is the picture's address, a text.

The value is set when a stroke ends, and shown where it is set from outside. A picture from a file is made smaller in
the browser, to at most LARGEST pixels a side; what it shows is judged by `data.sketches`.
"""

SIDE = 280  # pixels of the canvas, ten for each of an MNIST image
PEN = 22  # pixels: written as large as the square allows, a stroke is as wide as MNIST's
LARGEST = 1000

TEMPLATE = f"""
<canvas width="{SIDE}" height="{SIDE}" role="img" aria-label="${{label}}: a square to draw in"></canvas>
<div class="under">
  <button type="button" class="clear">Clear</button>
  <label class="file">From a file<input type="file" accept="image/*"></label>
</div>
"""
SCRIPT = """
const canvas = element.querySelector("canvas"), pen = canvas.getContext("2d");
const file = element.querySelector("input");
const clear = () => { pen.fillStyle = "black"; pen.fillRect(0, 0, canvas.width, canvas.height); };
const read = address => new Promise((done, failed) => {
  const image = new Image();
  image.onload = () => done(image);
  image.onerror = failed;
  image.src = address;
});
const show = async () => {
  const address = props.value;
  const image = address ? await read(address).catch(() => null) : null;
  if (address !== props.value) return;
  clear();
  if (!image) return;
  const scale = Math.min(canvas.width / image.width, canvas.height / image.height);
  const width = image.width * scale, height = image.height * scale;
  pen.imageSmoothingEnabled = scale < 1;
  pen.drawImage(image, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
};

let drawing = false;
const move = event => {
  const box = canvas.getBoundingClientRect();
  pen.lineTo((event.clientX - box.left) * canvas.width / box.width,
             (event.clientY - box.top) * canvas.height / box.height);
  pen.stroke();
};
canvas.addEventListener("pointerdown", event => {
  if (event.button) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  drawing = true;
  pen.lineWidth = PEN;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "white";
  pen.beginPath();
  move(event);
  move(event);
});
canvas.addEventListener("pointermove", event => { if (drawing) move(event); });
const stop = () => {
  if (drawing) props.value = canvas.toDataURL();
  drawing = false;
};
canvas.addEventListener("pointerup", stop);
canvas.addEventListener("pointercancel", stop);
element.querySelector(".clear").addEventListener("click", () => { clear(); props.value = ""; });
file.addEventListener("change", async () => {
  const address = URL.createObjectURL(file.files[0]);
  try {
    const image = await read(address);
    const scale = Math.min(1, LARGEST / Math.max(image.width, image.height));
    const copy = document.createElement("canvas");
    copy.width = Math.max(1, image.width * scale);
    copy.height = Math.max(1, image.height * scale);
    const paper = copy.getContext("2d");
    paper.fillStyle = "white";  // where the file is transparent
    paper.fillRect(0, 0, copy.width, copy.height);
    paper.drawImage(image, 0, 0, copy.width, copy.height);
    props.value = copy.toDataURL();
  } catch {
    props.value = "data:,unreadable";
  }
  URL.revokeObjectURL(address);
  file.value = "";
  show();
});
watch("value", show);
show();
""".replace("PEN", str(PEN)).replace("LARGEST", str(LARGEST))
STYLE = """
canvas { width: 100%; max-width: 280px; border-radius: 6px; touch-action: none; cursor: crosshair; display: block;
  margin: 0 auto; }
.under { display: flex; gap: 16px; margin-top: 6px; font-size: 0.9em; justify-content: center; }
.under button, .file { text-decoration: underline; cursor: pointer; }
.file input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.file:focus-within { outline: 2px solid; }
"""


def pad(label, value, name):
    """A square to draw in, a component of gradio; to be called within its Blocks.

    label : what stands above it
    value : the address of the picture that it begins with
    name : its id on the page
    """
    import gradio

    return gradio.HTML(
        value,
        label=label,
        show_label=True,
        container=True,
        padding=True,
        elem_id=name,
        html_template=TEMPLATE,
        css_template=STYLE,
        js_on_load=SCRIPT,
        apply_default_css=False,
    )
