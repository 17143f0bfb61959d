"""Previews rendered anew, so that they show the denoised samples.

`splice` calls it for the previews of a DNG, `canonical` for those it builds. The one thing to know:
a new preview is the old one without its noise: of its size (or half of the sensor's, if that is
less), in its place and colours, and turned as it was. Reduced raw pixels for quick display become
such a picture too; masks are left alone.

References
----------
DNG 1.7.1, chapter 2 (previews) and tags 50966 to 50971.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fadn_cli.mosaic.values import Mosaic, RawImage
from fadn_cli.raw.previews.align import WHOLE, Sides, cut, find_part
from fadn_cli.raw.previews.describe import (
    APPLICATION,
    describe_jpeg,
    describe_rgb,
    is_reduced_raw,
)
from fadn_cli.raw.previews.match import PLAIN, Look, find_look, settle
from fadn_cli.raw.previews.pictures import (
    Picture,
    decode_jpeg,
    encode_jpeg,
    fitted_size,
    frame,
    is_stored_upright,
    picture_of_bytes,
    resize,
    turn_upright,
)
from fadn_cli.raw.previews.shown import Shown, show
from fadn_cli.raw.previews.view import View, read_view
from fadn_cli.raw.source.embedded import read_frame
from fadn_cli.raw.tiff.ifd import Ifd, TiffFile
from fadn_cli.raw.tiff.tags import Compression, Photometric, PreviewSpace, Tag, make_field
from fadn_cli.raw.tiff.tree import data_spans, integer, is_preview
from fadn_cli.raw.tiff.write import Field

PREVIEW_SIDE = 1024
"""Longer side of a preview where the source has none, pixels."""
THUMBNAIL_SIDE = 256
"""Longer side of the first picture, pixels: DNG asks for a small one; Adobe's is this size."""
_PICTURES = (Photometric.BLACK_IS_ZERO, Photometric.RGB, Photometric.YCBCR)
_SPACES = (PreviewSpace.SRGB, PreviewSpace.ADOBE_RGB, PreviewSpace.PRO_PHOTO)
_MOST_BARS = 4  # times the picture itself; more is no size that a camera writes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """The room for a picture."""

    height: int
    """Pixels."""
    width: int
    """Pixels."""
    space: PreviewSpace = PreviewSpace.SRGB
    """Its colours."""
    is_filled: bool = False
    """Whether the picture must be of that size, as far as there are pixels for it."""
    like: Picture | None = None
    """What is there now: the new picture is framed and turned like it, and as bright."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Renewal:
    """A preview to be written."""

    ifd: Ifd | None
    """Whose preview it replaces; None for one that is added."""
    data: bytes = field(repr=False)
    """JPEG or plain RGB."""
    fields: tuple[Field, ...]
    """What the IFD must say about it, but for where it lies."""

    def place_fields(self, offset: int) -> list[Field]:
        """Say where it lies, in the words of the IFD it is for."""
        size = len(self.data)
        if self.ifd is not None and self.ifd.get(Tag.JPEG_INTERCHANGE_FORMAT) is not None:
            length = make_field(Tag.JPEG_INTERCHANGE_FORMAT_LENGTH, size)
            return [make_field(Tag.JPEG_INTERCHANGE_FORMAT, offset), length]
        rows = next(item for item in self.fields if item.tag == Tag.IMAGE_LENGTH)
        return [
            make_field(Tag.STRIP_OFFSETS, offset),
            make_field(Tag.ROWS_PER_STRIP, rows.values),
            make_field(Tag.STRIP_BYTE_COUNTS, size),
        ]


def renew_previews(
    tiff: TiffFile, raw_ifd: Ifd, raw_image: RawImage, mosaic: Mosaic
) -> list[Renewal]:
    """Render the previews of a DNG anew; one is added if none of them is a JPEG.

    Parameters
    ----------
    tiff : TiffFile
        The source.
    raw_ifd : Ifd
        Of its samples.
    raw_image : RawImage
        The source, read.
    mosaic : Mosaic
        The new samples.

    Raises
    ------
    RawReadError
        The source can no longer be opened.
    """
    found = {ifd: box for ifd in tiff.walk() if (box := box_of(tiff, ifd)) is not None}
    ifds, boxes = list[Ifd | None](found), list(found.values())
    if all(_is_plain(ifd) for ifd in ifds):
        ifds.append(None)
        boxes.append(Box(height=PREVIEW_SIDE, width=PREVIEW_SIDE))
    view = read_view(tiff, raw_ifd, mosaic.active_area)
    pictures = render_pictures(raw_image, mosaic, boxes, view=view)
    return [
        _renewal(ifd, picture, box.space)
        for ifd, picture, box in zip(ifds, pictures, boxes, strict=True)
    ]


def shrink_first_preview(
    tiff: TiffFile, raw_ifd: Ifd, raw_image: RawImage, mosaic: Mosaic
) -> list[Renewal]:
    """Render a thumbnail in place of a large preview in IFD0, which a DNG cannot do without.

    As `renew_previews`, for one preview at most.
    """
    ifd0 = tiff.ifds[0]
    box = box_of(tiff, ifd0)
    if box is None or max(box.height, box.width) <= THUMBNAIL_SIDE:
        return []
    small = replace(box, height=THUMBNAIL_SIDE, width=THUMBNAIL_SIDE, is_filled=False)
    view = read_view(tiff, raw_ifd, mosaic.active_area)
    [picture] = render_pictures(raw_image, mosaic, [small], view=view)
    return [_renewal(ifd0, picture, box.space)]


def box_of(tiff: TiffFile, ifd: Ifd) -> Box | None:
    """Return the room that an IFD's preview takes; None if it is not one we can render."""
    is_raw = is_reduced_raw(ifd)
    photometric = integer(ifd, Tag.PHOTOMETRIC_INTERPRETATION, Photometric.YCBCR)
    if not is_preview(ifd) or not (is_raw or photometric in _PICTURES):
        return None
    height, width = integer(ifd, Tag.IMAGE_LENGTH, 0), integer(ifd, Tag.IMAGE_WIDTH, 0)
    pieces = [bytes(tiff.data[start:stop]) for _, start, stop in data_spans(ifd)]
    jpeg = read_frame(pieces[0]) if pieces else None
    if jpeg is not None and not (height and width):  # EXIF's thumbnail leaves it to the JPEG
        height, width = jpeg.height, jpeg.width
    if not (height and width):
        return None
    like = None
    if is_raw:  # linear, and so no guide
        pass
    elif len(pieces) == 1 and not _is_plain(ifd):
        like = decode_jpeg(pieces[0])
    elif ifd.get(Tag.TILE_OFFSETS) is None:
        like = picture_of_bytes(b"".join(pieces), (height, width))
    stated = integer(ifd, Tag.PREVIEW_COLOR_SPACE, PreviewSpace.SRGB)
    space = next((space for space in _SPACES if space == stated), PreviewSpace.SRGB)
    return Box(height=height, width=width, space=space, is_filled=True, like=like)


def render_pictures(
    raw_image: RawImage, mosaic: Mosaic, boxes: Sequence[Box], *, view: View
) -> list[Picture]:
    """Render a mosaic as several pictures.

    Parameters
    ----------
    raw_image : RawImage
        The source.
    mosaic : Mosaic
        The samples to show.
    boxes : sequence of Box
        One per picture; all are turned, and as bright, as the largest that is there now.
    view : View
        What to show.

    Returns
    -------
    list of Picture
        In the order of `boxes`.

    Raises
    ------
    RawReadError
        The source can no longer be opened.
    """
    side = max(max(box.height, box.width) for box in boxes)
    old = max((box for box in boxes if box.like is not None), key=_pixels, default=None)
    first = [] if old is None else [old]  # in whose colours the look is found
    orientation, look, part = 1, None, WHOLE
    pictures: dict[PreviewSpace, Picture] = {}
    for space in dict.fromkeys(box.space for box in (*first, *boxes)):
        shown = show(raw_image, mosaic, view, side=side, space=space)
        if look is None:
            orientation, look, part = _compare(shown, old, raw_image.metadata.orientation)
        pictures[space] = cut(turn_upright(shown.picture(look), orientation), part)
    return [_fill(box, pictures[box.space]) for box in boxes]


def _pixels(box: Box) -> int:
    """Return how large a box is."""
    return box.height * box.width


def _compare(shown: Shown, old: Box | None, orientation: int) -> tuple[int, Look, Sides]:
    """Return how an old picture was turned, its look, and which part of the new one it shows."""
    if old is None or old.like is None:
        return 1, PLAIN, WHOLE
    plain = shown.sketch(PLAIN)
    turned = orientation if is_stored_upright(old.like, plain, orientation) else 1
    plain, part = turn_upright(plain, turned), WHOLE
    look = find_look(old.like, plain)
    if look is not PLAIN:
        part = find_part(old.like, turn_upright(shown.sketch(look), turned))
        look = find_look(old.like, cut(plain, part))
    return turned, look, part


def _fill(box: Box, picture: Picture) -> Picture:
    """Bring a picture to the size that is wanted."""
    wanted = (box.height, box.width)
    height, width = fitted_size((picture.shape[0], picture.shape[1]), wanted)
    enlarged = height != box.height and width != box.width
    if box.is_filled and not enlarged and _pixels(box) <= _MOST_BARS * height * width:
        filled = frame(picture, wanted, like=box.like)
    else:
        filled = resize(picture, (height, width))
    return filled if box.like is None else settle(filled, box.like)


def _renewal(ifd: Ifd | None, picture: Picture, space: PreviewSpace) -> Renewal:
    """Encode a picture as the old one was."""
    height, width, _ = picture.shape
    fields = [make_field(Tag.PREVIEW_APPLICATION_NAME, APPLICATION)]
    if ifd is not None and _is_plain(ifd):
        fields += describe_rgb(height, width, color_space=space)
        return Renewal(ifd=ifd, data=picture.tobytes(), fields=tuple(fields))
    jpeg = encode_jpeg(picture)
    fields += describe_jpeg(jpeg, color_space=space)
    if ifd is None:
        fields.append(make_field(Tag.NEW_SUBFILE_TYPE, 1))
    return Renewal(ifd=ifd, data=jpeg, fields=tuple(fields))


def _is_plain(ifd: Ifd | None) -> bool:
    """Tell whether a preview is an uncompressed picture."""
    if ifd is None or is_reduced_raw(ifd):
        return False
    return integer(ifd, Tag.COMPRESSION, 1) == Compression.NONE
