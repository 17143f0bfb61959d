"""Whatever a DNG says, and wherever: spliced, it says the same but for what denoising changes."""

import struct
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadn_cli.errors import RawReadError
from fadn_cli.raw.check.dng import check_dng
from fadn_cli.raw.check.structure import check_tiff
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.dng.marker import is_denoised
from fadn_cli.raw.dng.write import write_dng
from fadn_cli.raw.source.reader import read_raw
from fadn_cli.raw.tiff import file as tiff
from fadn_cli.raw.tiff import ifd
from fadn_cli.raw.tiff.file import MAX_ENTRIES_IN_ALL, MAX_IFDS, map_file, parse
from tests.making.dng.denoised import EDIT
from tests.making.dng.trees import NAMES, UNKNOWN_TYPE, Value, trees

OF_RAW = {258, 259, 273, 278, 279, 322, 323, 324, 325}
"""How the samples lie in the file."""
DIGESTS = {50972, 51111}
APPLIED, PROFILE, WHITE_LEVEL = 50935, 51041, 50717
XMP, UNIQUE_ID = 700, 50781
STRIPS = 273
MIB = 1 << 20
LARGEST_WALK = 32 * MIB
"""What parsing may allocate beyond the file's own size, whatever the counts in it say."""
MOST_READS = 4 * MAX_ENTRIES_IN_ALL
"""Numbers read from a file; each entry takes one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trees")


def said(path):
    """What a file says, as the parser reads it: {name of an IFD: {tag: Value}}; of strips, what
    they hold."""
    found, content = {}, path.read_bytes()

    def name(stem, node):
        found[stem] = {entry.tag: value_of(entry) for entry in node.entries}
        if STRIPS in found[stem]:
            pieces = zip(node.ints(STRIPS), node.ints(279), strict=True)
            pixels = b"".join(content[start : start + size] for start, size in pieces)
            found[stem][STRIPS] = replace(found[stem][STRIPS], data=pixels)
        for tag, kind in NAMES.items():
            for index, child in enumerate(node.sub_ifds(tag)):
                name(f"{stem}/{kind}{index if kind == 'SubIFD' or index else ''}", child)

    for index, node in enumerate(parse(map_file(path), name=path.name).ifds):
        name(f"IFD{index}", node)
    return found


def value_of(entry):
    """An entry's type, count and bytes; of a pointer, only to how many IFDs it leads."""
    if entry.tag in NAMES:
        return entry.count
    known = entry.type != UNKNOWN_TYPE
    return Value(entry.type, entry.count, bytes(entry.data) if known else entry.encoded[8:])


def meant(tree):
    """What a tree says, in the same form."""
    return {
        name: {
            tag: replace(value, data=node.pixels) if tag == STRIPS else value
            for tag, value in node.tags.items()
        }
        | {tag: len(nodes) for tag, nodes in node.children.items()}
        for name, node in tree.by_name().items()
    }


def differing(before, after):
    """The tags in which two IFDs differ."""
    return {tag for tag in before | after if before.get(tag) != after.get(tag)}


@settings(max_examples=60)
@given(trees())
def test_a_spliced_tree_is_the_same_but_for_what_denoising_changes(folder, tree):
    source, output = folder / "source.dng", folder / "output.dng"
    source.write_bytes(tree.data)
    raw_image = read_raw(source)
    samples = np.frombuffer(tree.raw.pixels, tree.byteorder + "u2")
    assert np.array_equal(samples, raw_image.mosaic.samples.ravel())
    mosaic = replace(raw_image.mosaic, samples=raw_image.mosaic.samples[::-1].copy())

    write_dng(output, raw_image, mosaic, edit=EDIT)

    check_dng(output, mosaic, source=source)
    before, after = meant(tree), said(output)
    assert before == said(source)
    assert before.keys() == after.keys()
    [raw] = (name for name, node in tree.by_name().items() if node is tree.raw)
    may = {name: set() for name in before}
    may["IFD0"] |= DIGESTS | {XMP, UNIQUE_ID} | ({APPLIED, PROFILE} & before["IFD0"].keys())
    may[raw] |= DIGESTS | OF_RAW | {APPLIED, PROFILE} | ({WHITE_LEVEL} - before[raw].keys())
    for name, allowed in may.items():
        assert differing(before[name], after[name]) <= allowed, name
    assert not DIGESTS & {tag for tags in after.values() for tag in tags}
    assert EDIT.unique_id == after["IFD0"][UNIQUE_ID].data
    assert is_denoised(after["IFD0"][XMP].data)
    assert {APPLIED, PROFILE, 324} <= after[raw].keys()
    assert not {273, 278, 279} & after[raw].keys()
    assert () == verify(source, output).violations


class CountedStruct:
    """Stands for `struct` where bytes are parsed, and counts the reads."""

    error = struct.error
    calcsize = staticmethod(struct.calcsize)
    unpack = staticmethod(struct.unpack)

    def __init__(self):
        self.reads = 0

    def unpack_from(self, *args):
        self.reads += 1
        return struct.unpack_from(*args)


def damage(draw, tree):
    """Let pointers, counts and counters of a tree say what makes walkers run wild."""
    content = bytearray(tree.data)
    size = len(content)
    offsets = [node.offset for node in tree.walk()]
    wild = st.sampled_from((*offsets, 0, 1, 8, size - 2, size - 1, size, 2**31, 2**32 - 1))
    for _ in range(draw(st.integers(1, 6))):
        node = draw(st.sampled_from(list(tree.walk())))
        entries = struct.unpack_from(tree.byteorder + "H", tree.data, node.offset)[0]
        entry = node.offset + 2 + 12 * draw(st.integers(0, entries - 1))
        places = {
            "tag": (entry, "H", st.sampled_from((*NAMES, 254, 273))),
            "type": (entry + 2, "H", st.sampled_from((0, 4, 13, 65535))),
            "count": (entry + 4, "I", wild),
            "value": (entry + 8, "I", wild),
            "entries": (node.offset, "H", st.integers(0, 65535)),
            "next": (node.offset + 2 + 12 * entries, "I", wild),
            "first": (4, "I", wild),
        }
        at, letter, numbers = places[draw(st.sampled_from(sorted(places)))]
        struct.pack_into(tree.byteorder + letter, content, at, draw(numbers))
    return bytes(content[: draw(st.just(size) | st.integers(8, size))])


def walk_everything(data, *, tolerant):
    """Parse, and look at each entry as the readers do; our own error is the only one."""
    try:
        found = parse(data, name="wild.dng", tolerant=tolerant)
    except RawReadError as error:
        assert str(error).startswith("wild.dng: ")
        return
    nodes = list(found.walk())
    assert len(nodes) <= MAX_IFDS
    assert sum(len(node.entries) for node in nodes) <= MAX_ENTRIES_IN_ALL
    for entry in (entry for node in nodes for entry in node.entries):
        with suppress(RawReadError):
            entry.floats  # noqa: B018
    list(check_tiff(found))


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_tree_is_parsed_or_refused_in_bounded_time_and_memory(data):
    content = damage(data.draw, data.draw(trees()))

    cost_little(content)


@settings(max_examples=200)
@given(st.sampled_from((b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0")), st.binary(max_size=600))
def test_arbitrary_bytes_are_parsed_or_refused_in_bounded_time_and_memory(head, rest):
    cost_little(head + rest)


def cost_little(content):
    """Walk bytes that may be anything, and count what it costs."""
    counted = CountedStruct()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiff, "struct", counted)
        patch.setattr(ifd, "struct", counted)
        for tolerant in (False, True):
            tracemalloc.start()
            try:
                walk_everything(content, tolerant=tolerant)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < LARGEST_WALK + 2 * len(content)
    assert counted.reads < MOST_READS
