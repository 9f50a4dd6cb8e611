"""Smaller or easier problems first: equal rows merged, fewer columns, starts, closed forms."""
