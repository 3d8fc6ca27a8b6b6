"""Several e-values: what each is worth when all of them are looked at.

A line may be called better only if every set of lines that it belongs to is refuted together, and the mean of e-values
is the e-value of a set (closed testing). For the i-th line that is

    adjusted_i = min over sets A of the others of  (e_i + sum_{j in A} e_j) / (1 + |A|),

and the smallest others make the worst sets. It is never less than e_i divided by the number of lines (Bonferroni), and
dividing is what it comes to when no other line shows anything.

References
----------
Vovk, V. and Wang, R. (2021). E-values: calibration, combination and applications. Annals of Statistics 49, algorithm 1.
"""

from __future__ import annotations

import numpy as np

from incumbent.core import Floats


def adjusted(log_e: Floats) -> Floats:
    """Return the logarithm (k,) of each of k e-values adjusted for looking at all of them.

    Examples
    --------
    >>> np.exp(adjusted(np.log([60.0, 30.0, 0.0001]))).round(2).tolist()
    [30.0, 15.0, 0.0]
    """
    order, lines = np.argsort(log_e, kind="stable"), len(log_e)
    sums = np.concatenate([[-np.inf], np.logaddexp.accumulate(log_e[order])])  # of the i smallest
    sizes, found = np.arange(lines + 1), np.empty(lines)
    for place, at in enumerate(order):
        few = np.logaddexp(log_e[at], sums[: place + 1]) - np.log1p(sizes[: place + 1])
        many = sums[place + 2 :] - np.log(sizes[place + 2 :])  # this line is among the smallest itself
        found[at] = np.append(few, many).min()
    return found
