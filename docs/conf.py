"""How the documentation is built.

Run ``sphinx-build -W docs docs/_build``, with OFFLINE=1 if there is no network.
"""

import os
import re
import sys
from pathlib import Path

from skmle import __version__
from skmle.families import all_families

sys.path.insert(0, str(Path(__file__).parent))
from pictures import draw_families

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
]
# The page of the benchmarks includes the other ones.
exclude_patterns = [
    "_build",
    "gallery/**/*.ipynb",
    "benchmarks/where_the_time_goes.md",
    "benchmarks/side_by_side.md",
]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "skmle"  # with version and "documentation" it pushes a button off a phone's screen
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    # With a fifth link, or a field for the search, the header takes two lines of a laptop's screen.
    "header_links_before_dropdown": 4,
    "navbar_persistent": ["search-button"],
}
# Pages of the guide have none below them, and their tables need the width of an empty sidebar.
_GUIDE = [path.stem for path in Path(__file__).parent.glob("*.md") if path.stem != "api"]
html_sidebars = {page: [] for page in [*_GUIDE, "benchmarks/index"]}

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
    "show_signature": False,
    "abort_on_example_error": True,
}


def write_families(app):
    """Write the table of families, which docs/which_model.md includes, from the registry."""
    lines = [
        "| family | one observation | parameters (link) | scipy | R |",
        "| --- | --- | --- | --- | --- |",
    ]
    for cls in all_families():
        family = cls()
        columns = {1: "", 2: ", two columns", None: ", several columns"}[family.observation.columns]
        observation = family.observations + columns
        # A vector or matrix of parameters, whose size is learnt from the data, has coordinates
        # instead of links.
        linked = (
            [f"{p.name} ({p.chart.name})" for p in cls.parameters]
            if isinstance(cls.parameters, tuple)
            else family.names
        )
        text = " ".join(cls.__doc__.split())
        others = [re.search(rf"\b{name}: (``.+?``)", text) for name in ("scipy", "R")]
        cells = [
            f"{{py:class}}`~skmle.families.{cls.__name__}`",
            observation,
            ", ".join(linked),
            *(law[1] if law else "" for law in others),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "families.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_families)
