"""OpcodeList1 in finer steps: the only one of a DNG's opcode lists that speaks of stored values.

`splice` writes what it returns, `check.tag_changes` expects it, and `pipeline.steps` asks first
whether there is anything in a list that cannot be said in finer steps. The one thing to know: what
is relative (gains) stays, what is in DN is multiplied, and what is neither known nor a power of
its input keeps the whole file in the source's steps.

References
----------
DNG 1.7.1, chapter 7; dng_misc_opcodes.cpp of Adobe's DNG SDK (in OpcodeList1, a polynomial's and
a delta's units are the stored values').
"""

import struct
from collections.abc import Mapping
from pathlib import Path

from fadn_cli.errors import FadnError
from fadn_cli.raw.source.dng_checks import find_raw_ifd
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.opcodes import Opcode, OpcodeId, build_opcodes, read_opcodes
from fadn_cli.raw.tiff.tags import Tag

_AREA = struct.calcsize(">8I")  # top, left, bottom, right, plane, planes, row and column pitch
_RELATIVE = frozenset(
    {
        OpcodeId.WARP_RECTILINEAR,
        OpcodeId.WARP_FISHEYE,
        OpcodeId.WARP_RECTILINEAR_2,
        OpcodeId.FIX_VIGNETTE_RADIAL,
        OpcodeId.FIX_BAD_PIXELS_LIST,
        OpcodeId.TRIM_BOUNDS,
        OpcodeId.GAIN_MAP,
        OpcodeId.SCALE_PER_ROW,
        OpcodeId.SCALE_PER_COLUMN,
    }
)
"""They hold no DN."""


def scale_opcodes(
    data: bytes, factor: int, constants: Mapping[int, int] | None = None
) -> bytes | None:
    """Rewrite an OpcodeList1 for samples that are multiplied.

    Parameters
    ----------
    data : bytes
        The tag's value.
    factor : int
        What samples and levels are multiplied by.
    constants : mapping, optional
        By a FixBadPixelsConstant: what stands for it now; else it is multiplied too.

    Returns
    -------
    bytes or None
        None if something in it cannot be said in other steps, or it is damaged.
    """
    if factor == 1:
        return data
    try:
        scaled = [_scale(opcode, factor, constants) for opcode in read_opcodes(data)]
        return build_opcodes(opcode._replace(payload=payload) for opcode, payload in scaled)
    except (ValueError, struct.error):
        return None


def what_keeps_steps(path: Path) -> str:
    """Say what keeps a DNG's samples in the source's steps; empty if nothing does.

    Parameters
    ----------
    path : Path
        A DNG that the reader has read.
    """
    try:
        tiff = parse(map_file(path), name=path.name, tolerant=True)
        ifd = find_raw_ifd(tiff)
        entry = ifd.get(Tag.OPCODE_LIST_1)
        if entry is None:
            return ""
        opcodes = list(read_opcodes(bytes(entry.data)))
        for opcode in opcodes:
            try:
                _scale(opcode, 2)
            except (ValueError, struct.error):
                return f"its OpcodeList1 holds {_name(opcode)}, which goes by them"
    except (FadnError, ValueError):
        return "its OpcodeList1 is damaged"
    if ifd.get(Tag.LINEARIZATION_TABLE) and any(each.id not in _RELATIVE for each in opcodes):
        return "its OpcodeList1 speaks of samples before its LinearizationTable"
    return ""


def _scale(
    opcode: Opcode, factor: int, constants: Mapping[int, int] | None = None
) -> tuple[Opcode, bytes]:
    """Return an opcode and its parameters for other steps; ValueError if there are none."""
    payload = opcode.payload
    if opcode.id in _RELATIVE:
        return opcode, payload
    if opcode.id == OpcodeId.FIX_BAD_PIXELS_CONSTANT:
        constant, phase = struct.unpack(">2I", payload)
        new = (constants or {}).get(constant, constant * factor)
        return opcode, struct.pack(">2I", new, phase)
    head, body = payload[: _AREA + 4], payload[_AREA + 4 :]
    [number] = struct.unpack_from(">I", payload, _AREA)
    if opcode.id in (OpcodeId.DELTA_PER_ROW, OpcodeId.DELTA_PER_COLUMN):
        deltas = struct.unpack(f">{number}f", body)
        return opcode, head + struct.pack(f">{number}f", *(each * factor for each in deltas))
    if opcode.id == OpcodeId.MAP_POLYNOMIAL:
        coefficients = struct.unpack(f">{number + 1}d", body)
        scaled = (each * float(factor) ** (1 - power) for power, each in enumerate(coefficients))
        return opcode, head + struct.pack(f">{number + 1}d", *scaled)
    raise ValueError(f"opcode {opcode.id} cannot be said in other steps")


def _name(opcode: Opcode) -> str:
    """Name an opcode as the standard does."""
    try:
        return "".join(part.capitalize() for part in OpcodeId(opcode.id).name.split("_"))
    except ValueError:
        return f"an unknown opcode ({opcode.id})"
