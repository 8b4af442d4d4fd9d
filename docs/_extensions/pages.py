"""Which pages the site has, and links that work on GitHub and on the site.

Pages link to each other and to files as GitHub wants it, by relative paths. On the site

    a page, a lesson, README.md          is that page
    minireg/ops/sampling.py              is its entry in the API; `[`ops.warp`](...)` that of the function
    another file                         is offered for download
    another folder                       is plain text
"""

import importlib
import operator
import os
import re
from pathlib import Path
from urllib.parse import unquote

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent

# The pages in the order in which one finds them at the left; * stands for all that are not named.
NAVIGATION = {
    "Lessons": ["lessons/README", "lessons/0*", "lessons/1*", "lessons/2*"],
    "How-to": ["What it does, and its commands <README>", "how-to/*", "CONTRIBUTING"],
    "Internals": [
        "training_step",
        *(
            f"internals/{name}"
            for name in ("autograd", "bilinear_sampling", "displacement_fields", "ncc", "convolution", "networks")
        ),
        "internals/*",
    ],
    "Reference": ["api/index", "glossary", "references", "verification", "recipes", "benchmarks"],
}
COPIED = {
    **{path: DOCS / "lessons" / path.name for path in sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))},
    ROOT / "lessons" / "README.md": DOCS / "lessons" / "README.md",
    **{ROOT / name: DOCS / name for name in ("README.md", "CONTRIBUTING.md")},
}
PACKAGES = set((ROOT / "minireg").rglob("__init__.py"))
SAME_AS = {ROOT / "lessons": ROOT / "lessons" / "README.md"}

MARKDOWN_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
IMAGE_TAG = re.compile(r'(?P<before><img\b[^>]*\bsrc=")(?P<target>[^"]+)(?P<after>")')


def copy_pages(app, config):
    """Bring the copies up to date, and remove those whose original is gone."""
    for stale in set((DOCS / "lessons").glob("*.*")) - set(COPIED.values()):
        stale.unlink()
    for original, copy in COPIED.items():
        if not original.exists():
            continue
        text = rewrite_links(original.read_text(encoding="utf-8"), original, copy)
        if copy.suffix == ".py":  # a lesson: below its title, the notebook that MyST-NB makes of it
            notebook = f"# {{nb-download}}`This lesson as a notebook, with its output <{copy.stem}.ipynb>`"
            text = re.sub(r"^# # .*\n", rf"\g<0>#\n{notebook}\n", text, count=1, flags=re.MULTILINE)
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:  # else the page would be run again
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(text, encoding="utf-8")


def prepare(app, docname, source):
    """Before Sphinx reads a page of docs/: its links, and on the first page the navigation."""
    path = Path(app.env.doc2path(docname))
    if path.suffix == ".md" and path not in COPIED.values():
        source[0] = rewrite_links(source[0], path, path)
    if docname == "index":
        for caption, pages in NAVIGATION.items():
            found = [page for page in pages if list(DOCS.glob(page.rpartition("<")[2].strip(">") + ".*"))]
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n" + "\n".join(found) + "\n```\n"


def rewrite_links(text, original, page):
    """The text of `original` with the links that `page` needs on the site."""

    def link(match):
        target = new_target(match["target"], original, page, match["text"])
        if target is None:
            return match["text"]
        return f"{match['image']}[{match['text']}]({target})"

    def image(match):
        return match["before"] + new_target(match["target"], original, page) + match["after"]

    return IMAGE_TAG.sub(image, MARKDOWN_LINK.sub(link, text))


def new_target(target, original, page, text=""):
    """What `target`, a link in the file `original`, is on the site; None for no link."""
    path, _, anchor = target.partition("#")
    file = Path(os.path.normpath(original.parent / unquote(path)))
    if not path or "://" in path or not file.exists():
        return target
    file = SAME_AS.get(file, file)
    is_page = file in COPIED or (DOCS in file.parents and file.suffix != ".py" and file.is_file())
    file = COPIED.get(file, file)
    if is_page:  # or a picture
        return os.path.relpath(file, page.parent) + (f"#{anchor}" if anchor else "")
    if (file.suffix == ".py" and ROOT / "minireg" in file.parents) or file / "__init__.py" in PACKAGES:
        return "#" + api_name(file, text)
    return f"path:{os.path.relpath(file, page.parent)}" if file.is_file() else None


def api_name(file, text):
    """The name in the API of what the text of a link names, if it is in that file or package; else of the file."""
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    package = module.rpartition(".")[0]
    words = re.sub(r"\(.*|`", "", text).split(".")
    # The API has a function of a subpackage under the name by which it is used: minireg.ops.warp.
    for home in [module] if package in {"", "minireg"} else [package, module]:
        for name in (".".join(words[-2:]), words[-1]):
            try:
                found = operator.attrgetter(name)(importlib.import_module(home))
            except AttributeError:
                continue
            if getattr(found, "__module__", "") == module and not words[-1].startswith("_"):
                return f"{home}.{name}"
    return module


def describe_figures(app, doctree):
    """Give the figures of a lesson, for who cannot see them, the names under which its code saves them."""
    for cell in doctree.findall(_is("cell_code")):
        names = re.findall(r'lesson\.save\(\w+, "(\w+)"', cell.astext())
        bundles = [
            [*bundle.findall(lambda node: node.tagname == "image")] for bundle in cell.findall(_is("mime_bundle"))
        ]
        for name, images in zip(names, filter(None, bundles), strict=False):
            for image in images:
                image["alt"] = f"Figure of the code above: {name.replace('_', ' ')}"


def _is(kind):
    return lambda node: node.tagname == "container" and node.get("nb_element") == kind


def repair_listing(app, page, template, context, doctree):
    """Let the links of a source listing lead to its functions under the names that the API has them by."""
    if not page.startswith("_modules/minireg/"):
        return
    objects = app.env.get_domain("py").objects
    module = page.removeprefix("_modules/").replace("/", ".")

    def anchor(match):
        name = match[1]
        entry = objects.get(name) or objects.get(module.rpartition(".")[0] + name.removeprefix(module))
        return f'#{entry.node_id}"'

    context["body"] = re.sub(rf'#({re.escape(module)}\.[\w.]+)"', anchor, context["body"])


def setup(app):
    app.connect("config-inited", copy_pages)
    app.connect("source-read", prepare)
    app.connect("doctree-read", describe_figures)
    app.connect("html-page-context", repair_listing)
    return {"parallel_read_safe": True}
