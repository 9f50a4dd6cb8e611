"""From coefficients to the objective: value, gradient and Hessian."""
