"""A package, so that its folders share names and helpers."""
