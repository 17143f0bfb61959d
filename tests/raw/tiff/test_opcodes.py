"""An opcode list is read entry by entry, and one that lies about its length is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadn_cli.raw.tiff.opcodes import Opcode, build_opcodes, read_opcodes

WORD = st.integers(0, 2**32 - 1)
LISTS = st.lists(st.builds(Opcode, WORD, WORD, WORD, st.binary(max_size=40)), max_size=5)


@given(opcodes=LISTS)
def test_what_is_built_is_read_back(opcodes):
    assert opcodes == list(read_opcodes(build_opcodes(opcodes)))


@given(opcodes=LISTS.filter(bool), cut=st.integers(1, 200))
def test_a_list_that_is_cut_off_is_refused(opcodes, cut):
    data = build_opcodes(opcodes)
    part = data[: max(1, len(data) - cut)]

    with pytest.raises(ValueError, match="opcode"):
        list(read_opcodes(part))


def test_what_comes_before_the_lie_is_read():
    good = Opcode(5, 0x01030000, 0, b"12345678")
    found = read_opcodes(build_opcodes([good, good])[:-1])

    assert good == next(found)
    with pytest.raises(ValueError, match="opcode 2 of 2 says 8 bytes, 7 are left"):
        next(found)


def test_no_list_has_no_entries():
    assert [] == list(read_opcodes(b""))
