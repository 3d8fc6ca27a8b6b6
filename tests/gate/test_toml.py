"""A gate in a TOML file: what is written is read again, and every mistake is named with what was meant."""

from __future__ import annotations

import dataclasses
import math
import tomllib

import numpy as np
import pytest

from incumbent import Gate, Limit, Slice
from incumbent.errors import UsageError

FULL = """
min_gain = 0.005
tolerance = 0.02
alpha = 0.1
max_flips = 0.03
search = true
error_control = "fwer"

[[slices]]
where = 'region == "north" and amount > 100'
tolerance = 0.03
name = "the north"

[[slices]]
where = "country"

[[limits]]
name = "latency_us"
ratio = 2

[[limits]]
name = "log_loss"
most = 0.4
"""


@pytest.fixture
def read(tmp_path):
    def make(text: str | bytes) -> Gate:
        path = tmp_path / "gate.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Gate.from_toml(path)

    return make


def test_every_field_can_be_declared(read):
    assert read(FULL) == Gate(
        min_gain=0.005,
        tolerance=0.02,
        alpha=0.1,
        max_flips=0.03,
        search=True,
        error_control="fwer",
        slices=(Slice('region == "north" and amount > 100', tolerance=0.03, name="the north"), Slice("country")),
        limits=(Limit("latency_us", max_ratio=2), Limit("log_loss", max=0.4)),
    )


def test_an_empty_file_is_the_default_gate(read):
    assert read("") == Gate()


def test_none_drops_the_condition(read):
    assert read('tolerance = "none"\nmax_flips = "none"') == Gate(tolerance=None)


def test_a_file_of_windows_with_a_byte_order_mark_is_read(read):
    assert read("\ufeffalpha = 0.1\r\n".encode()) == Gate(alpha=0.1)


@pytest.mark.parametrize(
    "gate",
    [
        Gate(),
        Gate(tolerance=None),
        Gate(min_gain=-1e-7, alpha=0.5, max_flips=0.0, error_control="fdr", search=True),
        Gate(min_gain=np.float64(0.25), tolerance=1),
        Gate(limits=(Limit("bytes", max=math.inf, min=-3, max_ratio=1e16), Limit("a:b", min=0.1))),
        Gate(slices=(Slice("`a b` == \"it's \\\\ 'quoted'\"", 0.0), Slice('city == "Łódź"', name='none\t\x7f\n"x"'))),
    ],
    ids=repr,
)
def test_a_gate_that_is_written_is_read_as_itself(read, gate):
    assert read(gate.to_toml()) == gate


def test_the_written_file_says_every_field_that_is_set():
    table = tomllib.loads(Gate(max_flips=0.02, slices=(Slice("region"),), limits=(Limit("bytes", max=9),)).to_toml())
    assert set(table) == {f.name for f in dataclasses.fields(Gate)}
    assert set(tomllib.loads(Gate().to_toml())) == set(table) - {"max_flips", "slices", "limits"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_flip = 0.2", r"gate\.toml has the unknown key 'max_flip'\. Did you mean 'max_flips'\? The keys are min"),
        ("quite_other = 1", r"unknown key 'quite_other'\. The keys are min_gain, tolerance, alpha"),
        (
            '[[slices]]\nwhere = "a"\ntolerence = 0.1',
            r"the 1st \[\[slices\]\] has the unknown key 'tolerence'.*'tolerance'",
        ),
        ('[[limits]]\nname = "a"\nmost = 1\n[[limits]]\nmost = 1', r"the 2nd \[\[limits\]\] needs the key 'name'"),
        ('alpha = "5 %"', r'alpha is a number, such as 0\.05; "5 %" was given'),
        ("alpha = true", r"alpha is a number.*; true was given"),
        ("alpha = 2026-01-01", r"alpha is a number.*; the time 2026-01-01 was given"),
        ("alpha = [0.05]", r"alpha is a number.*; a list was given"),
        ("search = 1", r"search is true or false; 1 was given"),
        ('max_flips = "no"', r'max_flips is a number, such as 0\.05 or "none"; "no" was given'),
        ('error_control = "life"', r'error_control is one of "update", "fwer", "fdr"; "life" was given'),
        ('slices = ["region"]', r"slices are tables: write \[\[slices\]\] and its keys below it"),
        ('[limits]\nname = "bytes"', r"limits are tables: write \[\[limits\]\].*; a table was given"),
        ("alpha = 0.9", r"gate\.toml: alpha is the probability of a false pass"),
        ('[[slices]]\nwhere = "a >"', r"gate\.toml: the 1st \[\[slices\]\]: 'a >' is not a condition"),
        ('[[limits]]\nname = "bytes"', r"gate\.toml: the 1st \[\[limits\]\]: Limit\('bytes'\) limits nothing"),
        ("alpha = ", r"not valid TOML: .*line 1|not valid TOML: Invalid value"),
        ("alpha = 0.1\nalpha = 0.2", r"not valid TOML"),
        (b"\xff\xfe", r"cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_mistake_is_named_with_what_was_meant(read, text, said):
    with pytest.raises(UsageError, match=said):
        read(text)


def test_a_file_that_is_not_there_and_a_folder_are_said_so(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml cannot be read: No such file"):
        Gate.from_toml(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        Gate.from_toml(tmp_path)


def test_a_gate_file_with_the_keys_of_0_1_reads_without_a_warning(tmp_path):
    file = tmp_path / "gate.toml"
    file.write_text('promise = "refresh"\n[[limits]]\nname = "bytes"\nmost = 9\nleast = 1\nratio = 2\n')
    assert Gate.from_toml(file) == Gate(rule="refresh", limits=(Limit("bytes", max=9, min=1, max_ratio=2),))
