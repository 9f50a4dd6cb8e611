"""How the documentation is built: ``sphinx-build -W docs docs/_build``, with OFFLINE=1 where there is no network."""

import os
from importlib.metadata import version as installed_version

project = "skmle"
author = "the skmle developers"
project_copyright = "2026, the skmle developers"
version = release = installed_version("skmle")

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
exclude_patterns = ["_build", "gallery/**/*.ipynb"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# The inventories of other projects are fetched while building, which fails the build where there is no network.
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

# A module lists its `__all__`, also what it imports lazily: a new family appears by itself.
autosummary_ignore_module_all = False
autosummary_imported_members = True

# The templates list the members; numpydoc would list them a second time.
numpydoc_show_class_members = False
numpydoc_validation_checks = {"PR02", "PR03"}  # a documented parameter that is not in the signature, or out of order
autodoc_typehints = "none"  # the docstrings give types and shapes

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"/(?!plot_)[^/]*\.py$",
    "doc_module": ("skmle",),
    "backreferences_dir": None,
    "show_memory": False,
    "show_signature": False,
    "abort_on_example_error": True,
}
