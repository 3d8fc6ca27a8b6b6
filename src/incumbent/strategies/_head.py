"""Change the last layer of a net: replace it, or add outputs for new classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from incumbent._deprecated import renamed_members
from incumbent.core import FreshHead, Memory, NewClasses, Recipe
from incumbent.strategies._edit import Edit


@dataclass(frozen=True, repr=False)
class NewHead(Edit):
    """Replace the last layer of a net by a newly initialised one, and keep the rest.

    Use it for a task that has little in common with the old one. With ``Freeze("backbone")`` it is transfer learning.

    Examples
    --------
    >>> from incumbent.strategies import Freeze, chain
    >>> chain(NewHead(), Freeze("backbone"))
    chain(NewHead(), Freeze('backbone'))
    """

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", head=FreshHead())


@renamed_members({"start": "init"})
@dataclass(frozen=True, repr=False)
class AddClasses(Edit):
    """Choose how outputs for new classes are initialised in a net; the outputs of known classes do not change.

    A net adds classes without this strategy too, as by ``AddClasses("prior")``, when it is trained on labels that it
    does not know. It also extends embedding tables for new ids; their rows start at the mean of the existing ones.

    Parameters
    ----------
    init : {"prior", "imprint"}
        "prior" starts at zero, with a bias for the fraction of rows that the class has. "imprint" starts at the mean
        features of the class, scaled to the length of the other rows.

    References
    ----------
    Qi, Brown and Lowe (2018), Low-Shot Learning with Imprinted Weights, CVPR, eq. 4.

    Examples
    --------
    >>> from incumbent.core import Memory, Recipe
    >>> AddClasses("imprint").prepare(Recipe(), Memory()).structure
    Structure('champion', classes=NewClasses('imprint'))
    """

    init: Literal["prior", "imprint"] = "prior"

    def __post_init__(self) -> None:
        self._check_one_of("init", ("prior", "imprint"))

    def prepare(self, recipe: Recipe, memory: Memory) -> Recipe:
        return recipe.replace(start="champion", classes=NewClasses(self.init))
