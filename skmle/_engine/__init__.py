"""How a fit is computed: rows and design at the bottom, then penalties and solvers, the objective and `fit` on top."""
