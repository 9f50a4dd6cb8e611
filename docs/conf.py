"""How the documentation is built.

Run ``sphinx-build -W docs docs/_build``, with OFFLINE=1 if there is no network.
"""

import os
import re
import sys
from functools import cache
from pathlib import Path

from sphinx.addnodes import toctree

from skmle import __version__

sys.path.insert(0, str(Path(__file__).parent))
from pictures import draw_families
from table_of_families import table

project = "skmle"
author = "the skmle developers"
project_copyright = "2026, the skmle developers"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.katex",
]
# families.md is the table that which_model.md includes, for who reads it in the repository.
exclude_patterns = ["_build", "gallery/**/*.ipynb", "families.md"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "skmle"  # with version and "documentation" it pushes a button off a phone's screen
html_theme_options = {
    "github_url": "https://github.com/skmle/skmle",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_center": ["header-links"],
    # A field for the search in place of the button would need a second line.
    "navbar_persistent": ["search-button"],
}
html_static_path = ["_static"]
html_js_files = ["mathematics.js"]
smartquotes = False  # notebooks link to parameters by their words, with straight quotes
html_search_scorer = str(Path(__file__).parent / "_static" / "scorer.js")
# Only the pages of the reference and of the gallery have neighbours to list; to the others an empty
# sidebar would leave three quarters of the width.
_GUIDE = [path.stem for path in Path(__file__).parent.glob("*.md") if path.stem != "api"]
_WHOLE = [*_GUIDE, "benchmarks/*", "genindex", "py-modindex", "search"]
html_sidebars = {page: [] for page in _WHOLE}

# KaTeX comes with the extension, and browsers draw the MathML that it makes by fonts of their own:
# no page asks the network for anything. Its style sheet is for its own fonts.
katex_options = 'output: "mathml"'
katex_css_path = "custom.css"

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The inventories of other projects are fetched while building, which fails the build where there is
# no network.
intersphinx_mapping = (
    {}
    if os.environ.get("OFFLINE")
    else {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }
)
# Docstrings that are scikit-learn's name labels of its pages.
suppress_warnings = ["ref.ref"] if os.environ.get("OFFLINE") else []

# The pages list the `__all__` of a module, and what it imports lazily: a new family appears by
# itself.
autosummary_ignore_module_all = False
autosummary_imported_members = True

# The page of a family shows some of its laws.
autosummary_context = {"pictures": draw_families(Path(__file__).parent / "generated" / "pictures")}

# The templates list the members; numpydoc would list them a second time.
numpydoc_show_class_members = False
# A documented parameter must be in the signature (PR02), and in its order (PR03).
numpydoc_validation_checks = {"PR02", "PR03"}
autodoc_typehints = "none"  # the docstrings give types and shapes

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "doc_module": ("skmle",),
    "backreferences_dir": None,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "abort_on_example_error": True,
}


def write_families(app):
    """Write the table of families, which docs/which_model.md includes."""
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    text = table(lambda cls: f"{{py:class}}`~skmle.families.{cls.__name__}`")
    (folder / "families.txt").write_text(text, encoding="utf-8")


# The other parts of the site: their first pages, with a word for the header and their folders.
_PARTS = {
    "gallery/index": ("Examples", "gallery/"),
    "api": ("API", "generated/"),
    "benchmarks/index": ("Benchmarks", "benchmarks/"),
}


@cache
def guide_of(app):
    """Return the pages of the guide with their titles, under the captions of index.md."""
    groups = []
    for tree in app.env.get_doctree("index").findall(toctree):
        pages = [page for _, page in tree["entries"] if page not in _PARTS and "/" not in page]
        titles = [(page, app.env.titles[page].astext()) for page in pages]
        groups.append((tree["caption"], titles))
    return [(caption, titles) for caption, titles in groups if titles]


def add_header_links(app, pagename, templatename, context, doctree):
    """Tell the header's template the pages of the guide, and the other parts of the site."""
    context["guide"] = guide_of(app)
    context["parts"] = [(page, title, folder) for page, (title, folder) in _PARTS.items()]


def link_to_the_gallery(app, docname, source):
    """Let a link to an example's file, which a code host shows, lead to its page on the site."""
    if "/" not in docname:
        source[0] = re.sub(r"\]\(\.\./examples/(plot_\w+)\.py\)", r"](gallery/\1.rst)", source[0])


def setup(app):
    app.connect("builder-inited", write_families)
    app.connect("source-read", link_to_the_gallery)
    app.connect("html-page-context", add_header_links)
