"""Entropy, cross-entropy and divergences of laws and of fitted models.

The mean log-likelihood of a model is minus the cross-entropy of the data and the model, and maximum
likelihood minimises the divergence from the data to the model. The functions of this module compute
these quantities, in nats or in any other unit, from

- probability vectors, of shape (K,), or (..., K) for many at once;
- frozen scipy distributions, such as ``scipy.stats.norm(0, 1)``;
- `skmle.families.Distribution`, with one set of parameters or one for each row;
- fitted skmle estimators of a density (by their ``distribution_``).

`project` finds the law of a family that comes nearest to a given law.

The two arguments of a divergence may be of different sorts. A probability vector beside a law of
numbers is the law of 0, 1, ..., K - 1.

Closed forms are used where they are known. Else laws of one column are summed or integrated; the
error is about 1e-11 of the average of the absolute value, or 1e-8 where a density is infinite at an
end of its support other than 0. Laws of several columns are averaged over 100 000 random draws.

References
----------
Cover & Thomas (2006), Elements of Information Theory, 2nd ed., Wiley: chapters 2 (discrete) and 8
(continuous).
"""

from skmle.information.gain import InformationGain, information_gain
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
from skmle.information.projection import Projection, project

__all__ = [
    "InformationGain",
    "Projection",
    "conditional_entropy",
    "cross_entropy",
    "empirical_cross_entropy",
    "entropy",
    "information_gain",
    "js_divergence",
    "kl_divergence",
    "mutual_information",
    "perplexity",
    "project",
]
