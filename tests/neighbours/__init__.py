"""Packages that users combine with skmle: `pip install "skmle[neighbours]"`; skipped without."""
