"""Ways to spoil a DNG on purpose, for the tests of the checks: nothing of the product's writers."""

import struct

from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.tiff.file import map_file, parse


def parse_file(path):
    """The tree of a file, faults left out."""
    return parse(map_file(path), name=path.name, tolerant=True)


def raw_entry(path, tag):
    """An entry of the raw IFD."""
    return find_raw_ifd(parse_file(path)).get(tag)


def ifd0_entry(path, tag):
    """An entry of IFD0."""
    return parse_file(path).ifds[0].get(tag)


def overwrite(path, offset, data):
    """Put bytes into a file."""
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def set_type(path, entry, kind):
    """Give an entry another type number."""
    overwrite(path, entry.location + 2, struct.pack(entry.byteorder + "H", kind))


def set_count(path, entry, count):
    """Give an entry another count."""
    overwrite(path, entry.location + 4, struct.pack(entry.byteorder + "I", count))


def set_value(path, entry, value):
    """Give an entry another 4 bytes: its first LONG, or where its values are."""
    overwrite(path, entry.location + 8, struct.pack(entry.byteorder + "I", value))
