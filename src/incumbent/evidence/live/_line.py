"""One line: the evidence about challengers that keep learning, by rows and by blocks of rows."""

from __future__ import annotations

from dataclasses import dataclass

from incumbent.core import Floats, Interval, Value
from incumbent.evidence.live._eprocess import EProcess
from incumbent.evidence.live._sequence import NAME, interval
from incumbent.evidence.live._units import Autocorrelation, means


@dataclass(frozen=True, repr=False)
class PrequentialTally(Value):
    """What is known of one line: every row bet on by itself, and in blocks where rows cling together; the less counts.

    Either guards against what deceives the other. Rows that repeat each other are one finding, not many: blocks see
    that. A batch in which the line collapses, all of it in one block, would weigh as little as one row of the good
    batches: rows see that. The smaller of two e-values is one, for what either promises.

    Parameters
    ----------
    rows, blocks : EProcess
        The evidence by row, and by block.
    alike : Autocorrelation
        What says how long blocks have to be.
    batches : int
        How many batches the line was scored on.
    """

    rows: EProcess = EProcess()
    blocks: EProcess = EProcess()
    alike: Autocorrelation = Autocorrelation()
    batches: int = 0

    def add(self, differences: Floats, block: int | None) -> PrequentialTally:
        """Return the line after one more batch of differences (n,), each in [-1, 1], in the order of the rows."""
        alike = self.alike.add(differences - (self.rows.mean if self.rows.rows else 0.0))
        length = alike.block(len(differences)) if block is None else block
        blocks = self.blocks.add(means(differences, length))
        return PrequentialTally(self.rows.add(differences), blocks, alike, self.batches + 1)

    def merge(self, other: PrequentialTally) -> PrequentialTally:
        """Return the line after the batches of both: exact, and the same in whatever order."""
        rows, blocks = self.rows.merge(other.rows), self.blocks.merge(other.blocks)
        return PrequentialTally(rows, blocks, self.alike.merge(other.alike), self.batches + other.batches)

    def log_e(self, mean: float) -> float:
        """Return the logarithm of the e-value that the mean difference is above `mean`."""
        return min(self.rows.log_e(mean), self.blocks.log_e(mean))

    def interval(self, *, alpha: float, bound: float) -> Interval:
        """Return the mean difference over all rows, with the wider of each two bounds."""
        row, block = (interval(tally, alpha=alpha, bound=bound) for tally in (self.rows, self.blocks))
        lower, upper = min(row.lower, block.lower), max(row.upper, block.upper)
        test = NAME if self.rows == self.blocks else f"{NAME} by row and by block"
        return Interval(row.value, lower, upper, alpha, test, row.rows)
