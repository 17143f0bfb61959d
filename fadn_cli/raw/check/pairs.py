"""Which IFD of a DNG became which IFD of its copy, and what was done to the previews among them.

`tag_changes` and `byte_changes` go by it. The one thing to know: nothing but previews may come or
go. A copy leaves out all of them or none, says of each that it has rendered anew who rendered it,
and adds one at the end of the SubIFDs at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from fadn_cli.raw.previews.describe import is_ours
from fadn_cli.raw.tiff.ifd import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Tag
from fadn_cli.raw.tiff.tree import is_preview, name_ifds, previews_below

Fate = Literal["kept", "rendered", "dropped", "added"]
"""What became of an IFD; "kept" also of one that is missing or new, and should not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An IFD, before and after."""

    name: str
    """As the source numbers them: "IFD0/SubIFD1"."""
    before: Ifd | None
    """The source's."""
    after: Ifd | None
    """The copy's."""
    fate: Fate
    """What became of it."""


def pair_ifds(source: TiffFile, output: TiffFile) -> list[Pair]:
    """Pair the IFDs of a DNG and of its copy by name, outermost first.

    Parameters
    ----------
    source, output : TiffFile
        Parsed with `tolerant=True`.
    """
    before = name_ifds(source)
    gone = _left_out(source, output)
    after = dict(_renamed(source, output)) if gone else name_ifds(output)
    newest = None if gone else _added(source, output)
    pairs = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        fate: Fate = "kept"
        if any(name == each or name.startswith(each + "/") for each in gone):
            fate = "dropped"
        elif old is None and new is not None and new is newest:
            fate = "added"
        elif old is not None and new is not None and is_preview(old) and is_ours(new):
            fate = "rendered"
        pairs.append(Pair(name=name, before=old, after=new, fate=fate))
    return pairs


def _left_out(source: TiffFile, output: TiffFile) -> list[str]:
    """Name the previews of a source if the copy has left out all of them, else none."""
    previews = previews_below(source)
    subs, chain = _count(source)
    below = sum(ifd.pointer_tag == Tag.SUB_IFDS for ifd in previews)
    if _count(output) != (subs - below, chain - (len(previews) - below)):
        return []
    if any(is_preview(ifd) for ifd in output.ifds[0].sub_ifds(Tag.SUB_IFDS)):
        return []
    return [name for name, ifd in name_ifds(source).items() if ifd in previews]


def _count(tiff: TiffFile) -> tuple[int, int]:
    """Count the SubIFDs of IFD0, and the IFDs of the chain."""
    return len(tiff.ifds[0].sub_ifds(Tag.SUB_IFDS)), len(tiff.ifds)


def _renamed(source: TiffFile, output: TiffFile) -> Iterator[tuple[str, Ifd]]:
    """Number the SubIFDs of a copy without previews as the source does."""
    subs = source.ifds[0].sub_ifds(Tag.SUB_IFDS)
    numbers = [number for number, ifd in enumerate(subs) if not is_preview(ifd)]
    stem = "IFD0/SubIFD"
    for name, ifd in name_ifds(output).items():
        number, slash, rest = name.removeprefix(stem).partition("/")
        if name.startswith(stem):
            name = f"{stem}{numbers[int(number)]}{slash}{rest}"
        yield name, ifd


def _added(source: TiffFile, output: TiffFile) -> Ifd | None:
    """Return the last SubIFD of a copy that has one more than its source, if it is our preview."""
    before, after = (tiff.ifds[0].sub_ifds(Tag.SUB_IFDS) for tiff in (source, output))
    if len(after) != len(before) + 1:
        return None
    return after[-1] if is_preview(after[-1]) and is_ours(after[-1]) else None
