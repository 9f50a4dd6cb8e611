"""Entropy, cross-entropy and divergences of laws and of fitted models.

A model's mean log-likelihood is minus its cross-entropy to the data, and maximum likelihood minimises the divergence from
the data to the model. The functions of this module compute these quantities, in nats or in any other unit, from

- probability vectors, of shape (K,), or (..., K) for many at once;
- frozen scipy distributions, such as ``scipy.stats.norm(0, 1)``;
- `skmle.families.Distribution`, with one set of parameters or one a row;
- fitted skmle estimators of a density (by their ``distribution_``).

The two arguments of a divergence may be of different sorts. A probability vector beside a law of numbers is that of
0, 1, ..., K - 1. Where no closed form is known, laws of one column are summed or integrated to about 1e-11, relative to
the average of the absolute value (1e-8 where a density is infinite at an end of its support other than 0); laws of several
columns are averaged over 100 000 random draws.

References
----------
Cover & Thomas (2006), Elements of Information Theory, 2nd ed., Wiley: chapters 2 (discrete) and 8 (continuous).
"""

from skmle.information.measures import (
    conditional_entropy,
    cross_entropy,
    empirical_cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
    perplexity,
)

__all__ = [
    "conditional_entropy",
    "cross_entropy",
    "empirical_cross_entropy",
    "entropy",
    "js_divergence",
    "kl_divergence",
    "mutual_information",
    "perplexity",
]
