"""Rows of X and y: the one sum over rows, blocks of rows, products with them, what they are like."""
