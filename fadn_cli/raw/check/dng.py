"""Is this DNG in order? Asked of every output before it gets its name, and by `fadn check`.

`pipeline.output` calls `check_dng`, `fadn check` calls `check_file`. The one thing to know: an
output must hold exactly the samples and levels that were meant, as LibRaw, an independent decoder,
reads them, and must not be wrong in any way in which its source was not; else it is a WriteError,
and the file is thrown away.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadn_cli.errors import FadnError, UnsupportedRawError, WriteError
from fadn_cli.findings import FileFindings, Finding, Severity, errors_among
from fadn_cli.limits import MEGAPIXELS
from fadn_cli.mosaic.values import Mosaic
from fadn_cli.raw.check.comparison import differing_levels
from fadn_cli.raw.check.image_rules import check_images
from fadn_cli.raw.check.structure import check_tiff
from fadn_cli.raw.codec.lossless import (
    Encoded,
    checksum_of,
    decode_otherwise,
    stream_fault,
    tile_size,
)
from fadn_cli.raw.source.dng_checks import check_sizes, find_raw_ifd, is_dng
from fadn_cli.raw.source.reader import read_levels, read_raw
from fadn_cli.raw.tiff.file import map_file, parse
from fadn_cli.raw.tiff.ifd import TiffFile
from fadn_cli.raw.tiff.tags import Compression, Tag, tag_name
from fadn_cli.raw.tiff.tree import data_spans, integer, layout_of, name_ifds
from fadn_cli.system.cores import usable_threads
from fadn_cli.system.snapshot import hold

MAX_FINDINGS = 200
"""A file that is wrong in more ways is wrong altogether."""
_ADVICE = "This is a bug in fadn, or a failing disk; try again, and report it if it happens again."


def check_dng(
    path: Path,
    expected: Mosaic,
    *,
    source: Path | None = None,
    encoded: Encoded | None = None,
    threads: int | None = None,
) -> None:
    """Make sure that a DNG is in order and decodes to what was to be written.

    Parameters
    ----------
    path : Path
        The DNG, whatever its name ends with.
    expected : Mosaic
        The mosaic that was given to `raw.dng.write`.
    source : Path, optional
        The file it was made from: faults that the DNG has inherited from there are not its own.
    encoded : Encoded, optional
        What its samples were written from: they are decoded tile by tile then, on several threads,
        by another decoder than the encoder's, and compared by their checksum; those of `expected`
        are not looked at. None: LibRaw decodes them.
    threads : int, optional
        For that; all cores the process may use if None.

    Raises
    ------
    WriteError
        The file cannot be read, its structure is wrong, or samples, CFA, levels or active area
        differ; the message says which.
    OSError
        The system refused to read it.
    """
    try:
        _refuse_faults(path, source)
        if encoded is None:
            found = read_raw(path, max_megapixels=math.inf).mosaic
        else:
            found = read_levels(path)
            _compare_tiles(path, encoded, threads)
    except WriteError:
        raise
    except FadnError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):  # of the machine, not of the file
            raise cause from error
        _refuse_damaged(source, _faults_of(source))
        raise _wrong(f"cannot be read back: {error}") from error
    if found.samples.shape != expected.samples.shape:
        raise _wrong(f"size {found.samples.shape} instead of {expected.samples.shape}")
    differing = 0 if encoded else np.count_nonzero(found.samples != expected.samples)
    if differing:
        raise _wrong(f"{differing} samples differ")
    difference = next(differing_levels(found, expected), "")
    if difference:
        raise _wrong(difference)


def _compare_tiles(path: Path, encoded: Encoded, threads: int | None) -> None:
    """Raise WriteError unless a file's tiles decode to the samples that were encoded."""
    data = map_file(path)
    tiff = parse(data, name=path.name, tolerant=True)
    spans = [(start, stop) for _, start, stop in data_spans(find_raw_ifd(tiff))]
    height, width = encoded.shape
    tile_height, tile_width = tile_size(encoded.shape)
    across = -(-width // tile_width)
    if len(spans) != len(encoded.tiles):
        raise _wrong(f"{len(spans)} tiles instead of {len(encoded.tiles)}")

    def decode(span: tuple[int, int]) -> NDArray[np.uint16]:
        try:
            tile = decode_otherwise(bytes(data[slice(*span)]))
        except ValueError as error:
            raise _wrong(f"a tile cannot be decoded: {error}") from error
        if tile.shape != (tile_height, tile_width):
            raise _wrong(f"a tile has {tile.size} samples")
        return tile

    found = 0
    with ThreadPoolExecutor(usable_threads(threads)) as pool:
        for top, first in zip(
            range(0, height, tile_height), range(0, len(spans), across), strict=True
        ):
            tiles = list(pool.map(decode, spans[first : first + across]))
            rows = np.concatenate(tiles, axis=1)[: height - top, :width]
            found = checksum_of(rows, found)
    if found != encoded.checksum:
        raise _wrong("the samples differ")


def check_file(path: Path, *, max_megapixels: float = MEGAPIXELS) -> FileFindings:
    """Find all that is wrong with a DNG, and decode it.

    Parameters
    ----------
    path : Path
        Any file, which need not even exist.
    max_megapixels : float
        As for `read_raw`.

    Returns
    -------
    FileFindings
        Of at most MAX_FINDINGS findings and one that says how many there are more. The samples
        are decoded only if the structure is sound.
    """
    try:
        with hold(path):
            found = _find_all(path, max_megapixels)
    except FadnError as error:
        found = [_finding("file", _without_name(error, path))]
    errors = errors_among(found)
    if len(found) > MAX_FINDINGS:
        rest = f"{len(found) - MAX_FINDINGS} more findings are left out"
        found = [*(errors or found)[:MAX_FINDINGS], _finding("file", rest, "warning")]
    return FileFindings(path=path, ok=not errors, findings=tuple(found))


def _find_all(path: Path, max_megapixels: float) -> list[Finding]:
    """Find what is wrong with a file that can be read; its samples come last, if it is sound."""
    tiff = parse(map_file(path), name=path.name, tolerant=True)
    found = _faults(tiff)
    if is_dng(tiff) and not errors_among(found):
        found += _decode(path, tiff, max_megapixels)
    return found


def _refuse_faults(path: Path, source: Path | None) -> None:
    """Raise WriteError for an error in a file's structure that its source does not have."""
    errors = errors_among(_faults(parse(map_file(path), name=path.name, tolerant=True)))
    if not errors:
        return
    faults = _faults_of(source)
    _refuse_lost(source, faults, errors)
    known = {fault.place for fault in faults}
    for error in errors:
        if error.place not in known:
            _refuse_damaged(source, [fault for fault in faults if fault.kind == "pointer"])
            raise _wrong(str(error))


def _refuse_damaged(source: Path | None, faults: list[Finding]) -> None:
    """Raise WriteError if a source has faults that may be why a DNG is wrong, or cannot be read.

    A pointer to no IFD leads readers elsewhere in a file of another size, to one or beyond its end.
    """
    for error in errors_among(faults):
        raise _damaged(source, f"{error}; what is written with that cannot be read")


def _damaged(source: Path | None, what: str) -> WriteError:
    """Return an error that is the source's fault."""
    return WriteError(
        f"{source.name if source else ''}: {what}",
        advice="The file looks truncated or damaged; copy it again from the card.",
    )


def _faults_of(source: Path | None) -> list[Finding]:
    """Find what is wrong with the structure of a source; nothing of one that is no TIFF."""
    if source is None:
        return []
    with suppress(FadnError):
        return _faults(parse(map_file(source), name=source.name, tolerant=True))
    return []


def _refuse_lost(source: Path | None, faults: list[Finding], errors: list[Finding]) -> None:
    """Raise WriteError where something of the source that is beyond its end would show other data.

    A file grows as it is written, and then there is something.
    """
    for lost in (fault for fault in faults if fault.kind == "bounds"):
        what = f"{lost.tag} of {lost.ifd}"
        if any(error.kind == "overlap" and what in error.what for error in errors):
            beyond = f"{lost.tag} lies beyond the file's end, where new samples would be"
            raise _damaged(source, beyond)


def _faults(tiff: TiffFile) -> list[Finding]:
    """Find what is wrong without decoding anything: milliseconds, whatever the size."""
    if not is_dng(tiff):
        return [_finding("raw", "has no DNGVersion: it is not a DNG")]
    return [*check_tiff(tiff), *check_images(tiff)]


def _decode(path: Path, tiff: TiffFile, max_megapixels: float) -> list[Finding]:
    """Decode the raw samples, JPEG by JPEG and with LibRaw."""
    found = []
    try:
        found += _check_streams(tiff, max_megapixels)
        read_raw(path, max_megapixels=max_megapixels)
    except UnsupportedRawError as error:
        what = f"the samples were not decoded: {_without_name(error, path)}"
        found.append(_finding("decode", what, "warning"))
    except FadnError as error:
        found.append(_finding("decode", _without_name(error, path)))
    return found


def _check_streams(tiff: TiffFile, max_megapixels: float) -> list[Finding]:
    """Decode the strips or tiles of a lossless-JPEG mosaic one by one."""
    try:
        raw_ifd = find_raw_ifd(tiff)
    except FadnError:  # a linear DNG, or one that LibRaw will refuse
        return []
    check_sizes(tiff, raw_ifd, max_megapixels)
    layout = layout_of(raw_ifd)
    if layout is None or integer(raw_ifd, Tag.COMPRESSION, 1) != Compression.JPEG:
        return []
    [name] = [name for name, ifd in name_ifds(tiff).items() if ifd is raw_ifd]
    planes = integer(raw_ifd, Tag.SAMPLES_PER_PIXEL, 1)
    height = integer(raw_ifd, Tag.IMAGE_LENGTH, 0)
    found = []
    for index, (tag, start, stop) in enumerate(data_spans(raw_ifd)):
        last_strip = not layout.tiled and index == layout.count - 1
        rows = height - index * layout.rows if last_strip else layout.rows
        fault = stream_fault(bytes(tiff.data[start:stop]), math.prod((rows, layout.cols, planes)))
        if fault:
            found.append(
                Finding(
                    severity="error",
                    kind="decode",
                    what=f"piece {index + 1} of {layout.count} {fault}",
                    ifd=name,
                    tag=tag_name(tag),
                    offset=start,
                )
            )
    return found


def _finding(kind: str, what: str, severity: Severity = "error") -> Finding:
    """Make a finding about the whole file."""
    return Finding(severity=severity, kind=kind, what=what)


def _without_name(error: FadnError, path: Path) -> str:
    """Return an error's message without the file name it begins with."""
    text = str(error)
    for name in (str(path), path.name):
        text = text.removeprefix(f"{name}: ")
    return text


def _wrong(what: str) -> WriteError:
    """Make the error for a DNG that is not what was to be written."""
    return WriteError(f"the DNG as written is wrong: {what}", advice=_ADVICE)
