"""The site: `python -m pip install ".[docs]"`, then `python -m sphinx -W --keep-going docs docs/_build/html`.

Sphinx reads what lies below docs/. So the lessons, which live in lessons/, are copied to docs/lessons/ before it begins
(git ignores the copies), and README.md and CONTRIBUTING.md beside this file. Nothing is loaded from another server.
"""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS / "_extensions"), str(ROOT)]

import minireg  # noqa: E402
from minireg.command import prepare_process  # noqa: E402

prepare_process()  # the lessons run in processes of their own, which take over the one thread for NumPy

project = "minireg"
version = release = minireg.__version__
copyright = "the minireg authors, MIT licence"
language = "en"
smartquotes = False  # "..." and '--' stay as they are written

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # MathJax and its fonts, copied into the site: the renderer of GitHub's formulas too
    "myst_nb",
    "pages",  # docs/_extensions/pages.py: the copies, the navigation, links that work on GitHub and on the site
    "docstrings",  # docs/_extensions/docstrings.py: docstrings as they are written here
]
exclude_patterns = ["_build", "_extensions", "conf.py", "figures", "**/.ipynb_checkpoints"]

# Markdown: `$...$`, `$$` displays, <img> tags, and GitHub's anchors of headings.
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 4
myst_dmath_allow_labels = False
mathjax3_config = {"chtml": {"scale": 0.97}, "options": {"enableMenu": False}}

# Lessons run while the site is built; an exception, a failed assertion or a warning on stderr fails the build.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_output_stderr = "error"
nb_merge_streams = True
nb_code_prompt_show = "Show the code of the figure"
nb_code_prompt_hide = "Hide the code of the figure"
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "lessons"), str(ROOT)])  # of the kernels: `import lesson`
kernel_settings = DOCS / "_build" / "ipython" / "profile_default" / "ipython_kernel_config.py"
kernel_settings.parent.mkdir(parents=True, exist_ok=True)
kernel_settings.write_text('c.InlineBackend.figure_formats = {"retina"}\nc.IPKernelApp.log_level = 40\n')
os.environ["IPYTHONDIR"] = str(DOCS / "_build" / "ipython")  # and nobody's own settings

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
add_module_names = False
viewcode_line_numbers = True

html_theme = "furo"
html_title = f"minireg {version}"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["minireg.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style, pygments_dark_style = "friendly", "native"
html_theme_options = {"navigation_with_keys": True}
