"""Old names work for one release, with a warning that names the new one."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, fields, replace
from importlib import import_module
from types import ModuleType

import pytest

from incumbent._deprecated import (
    deprecated_names,
    renamed_arguments,
    renamed_keywords,
    renamed_members,
    renamed_word,
)
from incumbent._on_demand import on_demand


@renamed_members({"apart": "not merge", "rank": "lora_rank", "but": "replace", "of": "from_rank"})
@dataclass(frozen=True)
class Structure:
    """A value whose fields and methods were renamed."""

    merge: bool = True
    lora_rank: int = 0

    def replace(self, **changes):
        return replace(self, **renamed_keywords(type(self), changes))

    @classmethod
    def from_rank(cls, lora_rank):
        return cls(lora_rank=lora_rank)


@renamed_arguments({"most": "max_slices", "raw": "not scaled"})
def find_slices(rows, *, max_slices=5, scaled=True):
    return rows, max_slices, scaled


def renamed_here(name):
    return pytest.warns(DeprecationWarning, match=name)


def test_an_old_name_of_a_module_gives_the_new_thing_and_warns():
    get = deprecated_names("incumbent.core", {"Rows": "Batch"})
    with renamed_here(r"incumbent\.core\.Rows is now incumbent\.core\.Batch"):
        found = get("Rows")
    assert found.__name__ == "Batch"


def test_an_old_name_may_have_moved_to_another_module():
    with renamed_here(r"is now incumbent\.core\.Batch"):
        found = deprecated_names("incumbent.data", {"Rows": "incumbent.core.Batch"})("Rows")
    assert found.__module__.startswith("incumbent.core")


def test_old_names_compose_with_names_on_demand():
    get, names = on_demand("incumbent.data", {"Schema": "schema._schema"})
    get = deprecated_names("incumbent.data", {"Contract": "Schema"}, get)
    assert get("Schema").__name__ == "Schema"
    assert names() == ["Schema"]  # the old name is not listed
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        get("Nothing")


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("control", "CONTROLS ErrorControl PerUpdate Share Spending control restore"),
        ("evaluation", "AUC CostMatrix METRICS R2 Spread compare flips gain kappa no_change scores share_lower wrong"),
        ("monitor", "Line LineMonitor LoggedLosses Monitor Tally from_log"),
        ("slices", "Confirmed Slice confirm find judge losses unharmed"),
    ],
)
def test_packages_of_0_1_forward_their_names(module, names):
    old = import_module(f"incumbent.{module}")
    for name in names.split():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert getattr(old, name) is not None
        assert f"incumbent.{module}.{name} is now incumbent." in str(caught[-1].message)
    with pytest.raises(AttributeError, match="no attribute 'upgrade'"):
        old.upgrade  # noqa: B018  # to see the error


def test_a_module_without_more_names_refuses_others_as_python_does():
    with pytest.raises(AttributeError, match="module 'incumbent.core' has no attribute 'upgrade'"):
        deprecated_names("incumbent.core", {})("upgrade")


def test_the_warning_points_to_the_line_that_uses_the_old_name():
    module = ModuleType("here")
    module.__getattr__ = deprecated_names("incumbent.core", {"Rows": "Batch"})
    uses = [
        lambda: module.Rows,
        lambda: find_slices(1, most=2),
        lambda: Structure(rank=1),
        lambda: Structure().rank,
        lambda: Structure().but(merge=False),
        lambda: Structure().replace(rank=2),
    ]
    for use in uses:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            use()
        assert [w.filename for w in caught] == [__file__], caught


def test_an_old_keyword_is_passed_on_under_the_new_name():
    with renamed_here(r"find_slices\(most=\.\.\.\) is now find_slices\(max_slices=\.\.\.\)"):
        assert find_slices(1, most=2) == (1, 2, True)
    with renamed_here("scaled=not"):
        assert find_slices(1, raw=True) == (1, 5, False)


def test_new_names_do_not_warn():
    assert find_slices(1, max_slices=2) == (1, 2, True)
    structure = Structure(merge=False).replace(lora_rank=3)
    assert (structure.merge, structure.lora_rank, Structure.from_rank(4).lora_rank) == (False, 3, 4)


def test_a_keyword_given_twice_is_refused():
    with pytest.raises(TypeError, match="both 'max_slices' and 'most', its old name. Use 'max_slices' only"):
        find_slices(1, most=2, max_slices=3)


def test_old_fields_work_in_the_constructor_as_attributes_and_in_replace():
    with renamed_here("Structure"):
        assert Structure(apart=True, rank=8) == Structure(merge=False, lora_rank=8)
    with renamed_here(r"Structure\.rank is now Structure\.lora_rank"):
        assert Structure(lora_rank=8).rank == 8
    with renamed_here(r"Structure\.apart is now not Structure\.merge"):
        assert Structure(merge=False).apart is True
    with renamed_here("rank"):
        assert Structure(lora_rank=1).replace(rank=8).lora_rank == 8


def test_old_methods_work_on_objects_and_on_the_class():
    with renamed_here(r"Structure\.but is now Structure\.replace"):
        assert Structure().but(lora_rank=2).lora_rank == 2
    with renamed_here(r"Structure\.of is now Structure\.from_rank"):
        assert Structure.of(2).lora_rank == 2


def test_a_renamed_class_keeps_its_signature_fields_and_text():
    assert list(inspect.signature(Structure).parameters) == ["merge", "lora_rank"]
    assert [f.name for f in fields(Structure)] == ["merge", "lora_rank"]
    assert repr(Structure()) == "Structure(merge=True, lora_rank=0)"
    with pytest.raises(TypeError, match="unexpected keyword argument 'width'"):
        Structure(width=3)


def test_a_class_without_old_names_keeps_its_keywords():
    assert renamed_keywords(int, {"rank": 8}) == {"rank": 8}


def test_an_old_word_is_translated():
    assert renamed_word("fdr", {"share": "fdr"}, "error_control") == "fdr"
    with renamed_here("error_control='share' is now error_control='fdr'"):
        assert renamed_word("share", {"share": "fdr"}, "error_control") == "fdr"
