"""Rows of X and y: the one sum over rows, blocks of rows and products with them, a first look."""
