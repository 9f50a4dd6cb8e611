"""How `skmle.information` computes: operands become laws; laws have closed forms or numerical expectations."""
