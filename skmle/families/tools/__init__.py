"""What families are written with: special functions, quantiles, shared formulas, averages."""
