"""The page about every node kind, made from the kinds themselves, so that it cannot lie.

A new kind appears in it by being there: its fields, edges, example and objects are read from its
file. `kubeorch kinds` prints the page.
"""

from app.handbook.page import page

__all__ = ["page"]
