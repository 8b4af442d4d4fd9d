"""The built site in a browser: every formula is drawn, every picture is there, nothing comes from another server.

    python -m sphinx -W --keep-going docs docs/_build/html
    MINIREG_SITE=docs/_build/html python -m pytest tests/test_site.py

Without the variable MINIREG_SITE these tests are skipped; with it, a missing chromium is a failure.
"""

import contextlib
import functools
import html.parser
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = Path(os.environ["MINIREG_SITE"]).resolve() if os.environ.get("MINIREG_SITE") else None
pytestmark = pytest.mark.skipif(SITE is None, reason="MINIREG_SITE names no built site")
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
PHONE = 390  # pixels

# What is asked of every page, once MathJax says that it is done.
INSPECT = r"""
(async () => {
  const formulas = [...document.querySelectorAll(".math")];
  if (formulas.length) {
    if (!window.MathJax || !MathJax.startup) return { problems: ["MathJax is not there"] };
    await MathJax.startup.promise;
  }
  await document.fonts.ready;
  const problems = [];
  const hasSize = element => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1;
  };
  for (const formula of formulas) {
    const drawn = formula.querySelector("mjx-container");
    const text = formula.textContent;
    if (!drawn || !hasSize(drawn) || !drawn.querySelector("mjx-c")) problems.push("not drawn: " + text);
    if (formula.querySelector("mjx-merror, [style*='color: red']")) problems.push("an error of MathJax: " + text);
  }
  const images = [...document.querySelectorAll("article img")];
  for (const image of images) {
    await image.decode().catch(() => {});
    if (!image.naturalWidth || !hasSize(image)) problems.push("no picture: " + image.getAttribute("src"));
    if (!image.alt || image.alt.endsWith(".png")) problems.push("no words: " + image.getAttribute("src"));
  }
  const article = document.querySelector("article").cloneNode(true);
  article.querySelectorAll("pre, code, mjx-container, script, style").forEach(element => element.remove());
  const raw = article.textContent.match(/\$\$|\\(frac|tag|sum|mathrm|partial|begin|\(|\[)/);
  if (raw) problems.push("raw mathematics: " + raw[0]);
  if (document.documentElement.scrollWidth > innerWidth) {
    problems.push(`wider than the screen: ${document.documentElement.scrollWidth} of ${innerWidth}`);
  }
  const figures = document.querySelectorAll(".cell_output img").length;
  return { problems, formulas: formulas.length, figures };
})()
"""
LUMINANCES = r"""
(theme => {
  document.body.dataset.theme = theme;
  const luminance = colour => {
    const [r, g, b] = colour.match(/[\d.]+/g).map(Number);
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  const of = (selector, property) => luminance(getComputedStyle(document.querySelector(selector))[property]);
  return {
    page: of("body", "backgroundColor"), text: of("article p", "color"),
    formula: of("article mjx-container", "color"), code: of("article .highlight", "backgroundColor"),
  };
})
"""


class Browser:
    """Headless Chromium, driven through a pipe by the DevTools protocol: messages in JSON, each ended by a zero byte.

    Every address but this machine's is unknown to it, so that nothing can come from elsewhere.
    """

    def __init__(self, profile):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            pytest.fail("chromium is missing: apt-get install chromium")
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        arguments = [
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
            *("--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run"),
            *("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "about:blank"),
        ]
        # The browser reads from its file 3 and writes to its file 4.
        command = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", command, "chromium", program, *arguments],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.received = b""
        self.count = 0
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    session = None

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while (answer := self.read()).get("id") != self.count:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def read(self):
        while b"\0" not in self.received:
            chunk = os.read(self.read_end, 1 << 16)
            if not chunk:
                raise RuntimeError("chromium has gone")
            self.received += chunk
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message)

    def wait_for(self, event):
        while not any(seen.get("method") == event for seen in self.events):
            self.events.append(self.read())

    def open(self, address, width=1200):
        """Load a page; returns what went wrong on the way."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def problems(self, own):
        """Requests to elsewhere, files that are missing, and errors in the console, since the page was opened."""
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Network.requestWillBeSent":
                address = params["request"]["url"]
                if not address.startswith((own, "data:", "blob:")):
                    found.append(f"a request to elsewhere: {address}")
            elif method == "Network.loadingFailed" and not params.get("canceled"):
                found.append(f"not loaded: {params.get('errorText')}")
            elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(f"console: {params['entry']['text']} {params['entry'].get('url', '')}")
            elif method == "Runtime.exceptionThrown":
                found.append(f"exception: {params['exceptionDetails']['text']}")
        return found

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def close(self):
        self.session = None
        with contextlib.suppress(RuntimeError, OSError):
            self.call("Browser.close")
        self.process.wait(timeout=20)
        os.close(self.write_end)
        os.close(self.read_end)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@contextlib.contextmanager
def served(folder):
    """The address under which a folder is served on this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def address():
    with served(SITE) as address:
        yield address


def html_pages():
    """The pages that someone wrote or generated for reading, without the listings of the source code."""
    found = sorted(path.relative_to(SITE) for path in SITE.rglob("*.html")) if SITE else []
    return [path.as_posix() for path in found if path.parts[0] not in {"_modules", "_static"}]


def look_at(browser, address, page, width=1200):
    """Open a page: (what the browser counted, everything that is wrong)."""
    browser.open(address + page, width)
    counted = browser.evaluate(INSPECT)
    return counted, counted["problems"] + browser.problems(address)


@pytest.mark.parametrize("page", html_pages())
def test_a_page_shows_its_formulas_and_pictures(page, browser, address):
    _, problems = look_at(browser, address, page)
    assert problems == []


@pytest.mark.parametrize("page", html_pages())
def test_a_page_fits_a_phone(page, browser, address):
    _, problems = look_at(browser, address, page, width=PHONE)
    assert problems == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_shows_every_figure_that_it_saves(lesson, browser, address):
    counted, _ = look_at(browser, address, f"lessons/{lesson.stem}.html")
    saved = len(re.findall(r"lesson\.(?:save|animate)\(", lesson.read_text(encoding="utf-8")))
    assert counted["figures"] == saved >= 3


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_offers_itself_as_a_notebook_with_output(lesson):
    page = SITE / "lessons" / f"{lesson.stem}.html"
    (link,) = re.findall(rf'href="([^"]*/{lesson.stem}\.ipynb)"', page.read_text(encoding="utf-8"))
    cells = json.loads((page.parent / link).read_text(encoding="utf-8"))["cells"]
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))


def test_the_internals_are_full_of_formulas(browser, address):
    for page in sorted((ROOT / "docs" / "internals").glob("*.md")):
        displays = page.read_text(encoding="utf-8").count("\\tag{")
        counted, _ = look_at(browser, address, f"internals/{page.stem}.html")
        assert counted["formulas"] >= displays > 0


def test_formulas_are_drawn_where_the_site_is_opened_as_files(browser):
    own = SITE.as_uri() + "/"
    counted, problems = look_at(browser, own, "internals/autograd.html")
    assert counted["formulas"] > 10
    assert problems == []


def test_formulas_and_code_can_be_read_in_the_light_and_in_the_dark(browser, address):
    browser.open(address + "internals/autograd.html")
    browser.evaluate("MathJax.startup.promise")
    light = browser.evaluate(f"{LUMINANCES}('light')")
    dark = browser.evaluate(f"{LUMINANCES}('dark')")
    assert light["page"] > 0.9 > 0.3 > max(light["text"], light["formula"]) and light["code"] > 0.8
    assert dark["page"] < 0.2 < 0.7 < min(dark["text"], dark["formula"]) and dark["code"] < 0.25


def test_the_search_finds_a_word(browser, address):
    browser.open(address + "search.html?q=cotangent")
    found = browser.evaluate(
        """(async () => {
          for (let i = 0; i < 100 && !/finished|found/i.test(document.querySelector("#search-results").innerText); i++)
            await new Promise(wake => setTimeout(wake, 100));
          return [...document.querySelectorAll("#search-results li a")].map(link => link.getAttribute("href"));
        })()"""
    )
    assert any("internals/autograd.html" in link for link in found)
    assert browser.problems(address) == []


# --- That these checks find what is broken


@pytest.fixture
def broken_site(tmp_path):
    """A copy of the site, to be broken."""
    copy = tmp_path / "site"
    shutil.copytree(SITE, copy, ignore=shutil.ignore_patterns("_modules", "sre"))
    return copy


def problems_of(browser, folder, page):
    with served(folder) as address:
        return look_at(browser, address, page)[1]


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert re.search(old, text)
    path.write_text(re.sub(old, new, text), encoding="utf-8")


def test_a_site_without_mathjax_is_found_out(browser, broken_site):
    shutil.rmtree(broken_site / "_static" / "mathjax")
    assert "MathJax is not there" in problems_of(browser, broken_site, "internals/autograd.html")


def test_a_page_that_does_not_load_mathjax_is_found_out(browser, broken_site):
    edit(broken_site / "internals" / "autograd.html", r"<script[^>]*mathjax/[^>]*></script>", "")
    assert "MathJax is not there" in problems_of(browser, broken_site, "internals/autograd.html")


@pytest.mark.parametrize("mistake", [r"\nosuchmacro", r"\frac{1}"])
def test_a_wrong_formula_is_found_out(mistake, browser, broken_site):
    edit(broken_site / "internals" / "autograd.html", r"\\tag\{1\}", lambda match: match[0] + mistake)
    assert "an error of MathJax" in str(problems_of(browser, broken_site, "internals/autograd.html"))


def test_raw_mathematics_are_found_out(browser, broken_site):
    edit(broken_site / "internals" / "autograd.html", r"</article>", r"<p>\\tag{1}</p></article>")
    assert "raw mathematics: \\tag" in problems_of(browser, broken_site, "internals/autograd.html")


def test_a_missing_picture_is_found_out(browser, broken_site):
    page = f"lessons/{LESSONS[0].stem}.html"
    picture = re.search(r"_images/[^\"]+\.png", (broken_site / page).read_text(encoding="utf-8"))[0]
    (broken_site / picture).unlink()
    assert f"no picture: ../{picture}" in problems_of(browser, broken_site, page)


def test_a_page_that_is_too_wide_is_found_out(browser, broken_site):
    edit(broken_site / "index.html", r"</article>", '<div style="width: 5000px">x</div></article>')
    assert "wider than the screen" in str(problems_of(browser, broken_site, "index.html"))


def test_a_request_to_elsewhere_is_found_out(browser, broken_site):
    edit(broken_site / "index.html", r"</head>", '<script src="https://example.org/x.js"></script></head>')
    assert "a request to elsewhere: https://example.org/x.js" in problems_of(browser, broken_site, "index.html")


# --- Links, without a browser


class Links(html.parser.HTMLParser):
    """The addresses of a page, what it loads, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        self.loaded += [attributes[name] for name in ("src", "poster", "data") if attributes.get(name)]
        self.loaded += [source.split()[0] for source in (attributes.get("srcset") or "").split(",") if source]
        if tag == "link" and attributes.get("href"):
            self.loaded.append(attributes["href"])


def broken_links(site):
    """Every link of a site that leads nowhere, and everything that it loads from elsewhere or does not have."""
    seen = {path: Links(path) for path in site.rglob("*.html") if path.relative_to(site).parts[0] != "_static"}
    broken = []
    for path, page in seen.items():
        for target in page.loaded + page.links:
            if re.match(r"(https?:)?//", target):
                if target in page.loaded:
                    broken.append(f"{path.relative_to(site)}: loads {target}")
                continue
            if re.match(r"(mailto|data|javascript):", target):
                continue
            file, _, anchor = target.partition("#")
            file = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if not file.is_file() or (anchor and file in seen and unquote(anchor) not in seen[file].anchors):
                broken.append(f"{path.relative_to(site)}: {target}")
    for sheet in (site / "_static").rglob("*.css"):
        outside = re.findall(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')]+)", sheet.read_text(encoding="utf-8"))
        broken += [f"{sheet.relative_to(site)}: loads {target}" for target in outside]
    return broken


def test_every_link_of_the_site_leads_somewhere_and_nothing_is_loaded_from_elsewhere():
    assert broken_links(SITE) == []


def test_broken_links_of_a_site_are_found_out(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html">1</a><a href="#no">2</a><a href="a.html#yes" id="yes">3</a><a href="https://x.org">4</a>'
        '<script src="https://x.org/x.js"></script><img src="x.png"><link href="//x.org/x.css">'
    )
    found = ["loads https://x.org/x.js", "x.png", "loads //x.org/x.css", "b.html", "#no"]
    assert broken_links(tmp_path) == [f"a.html: {link}" for link in found]
