"""What denoising changes in a DNG besides the samples, and how the user wants it written.

Both DNG writers go by it. The one thing to know: a NoiseProfile is stated per colour plane (R, G, B
in the order of CFAPlaneColor), a Bayer mosaic's NoiseModel per CFA site, so the two greens are
averaged.

References
----------
DNG 1.7.1: tags 50781 (RawDataUniqueID), 50935 (NoiseReductionApplied), 51041 (NoiseProfile).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from fadn_cli.errors import FadnError
from fadn_cli.noise import NoiseModel
from fadn_cli.raw.dng.marker import mark_denoised, without_marks
from fadn_cli.raw.dng.samples import Storage
from fadn_cli.raw.tiff.ifd import Ifd
from fadn_cli.raw.tiff.tags import Tag, make_field
from fadn_cli.raw.tiff.write import Field
from fadn_cli.raw.xmp.merge import NO_EDITS, Edits, merge

RGB = RED, GREEN, BLUE = 0, 1, 2
"""How CFAPattern and CFAPlaneColor number the colours. [TIFF/EP; DNG 1.7.1]"""
PREVIEWS = ("render", "keep", "none")
"""What may become of the previews."""
COMPRESSIONS = ("lj92", "jxl", "none")
"""How the samples may be stored."""
_LETTERS = {RED: "R", GREEN: "G", BLUE: "B"}
_LEAST_SHOT_NOISE = 1e-12  # readers take the logarithm: it must be positive


@dataclass(frozen=True, slots=True, kw_only=True)
class DngEdit:
    """What the DNG is to say about its denoising."""

    noise_profile: NoiseModel | None
    """The noise that is left; None if unknown, then the DNG states none."""
    strength: float
    """How much of the noise was removed, 0-1."""
    unique_id: bytes
    """16 bytes that identify the new samples."""
    description: str
    """Program, version and options, for people: "fadn 0.1.0 strength=1 model=bayer-fast-low";
    goes into the XMP packet."""
    sidecars: Edits = NO_EDITS
    """What the file's XMP is to say besides."""

    def __post_init__(self) -> None:
        if len(self.unique_id) != 16:
            raise ValueError(f"unique_id must be 16 bytes, got {len(self.unique_id)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteChoices:
    """How the user wants a DNG to be written."""

    preview: str = "keep"
    """"render": previews are rendered anew from the denoised samples. "keep": the source's stay.
    "none": there are none but the thumbnail that IFD0 may be."""
    compression: str = "lj92"
    """"lj92": lossless JPEG. "jxl": lossless JPEG XL. "none": as they are."""

    def __post_init__(self) -> None:
        if self.preview not in PREVIEWS:
            raise ValueError(f"preview must be render, keep or none, got {self.preview!r}")
        if self.compression not in COMPRESSIONS:
            raise ValueError(f"compression must be lj92, jxl or none, got {self.compression!r}")


def edited_packet(packet: bytes, edit: DngEdit) -> tuple[bytes, tuple[str, ...]]:
    """Return an XMP packet with what sidecars say, and the marker; and what could not be merged."""
    sidecars, notes = edit.sidecars, tuple[str, ...]()
    try:
        packet = merge(without_marks(packet), sidecars) if sidecars.packets else packet
    except FadnError as error:
        notes = (f"its XMP says nothing of what its sidecars do: {error}",)
        sidecars = NO_EDITS
    marked = mark_denoised(
        packet, strength=edit.strength, process=edit.description, sidecars=sidecars.names
    )
    return marked, notes


def edit_fields(edit: DngEdit, *, plane_colors: Sequence[int] = RGB) -> list[Field]:
    """Return the fields of the raw IFD that state what was done.

    Parameters
    ----------
    edit : DngEdit
        What to state.
    plane_colors : sequence of int
        CFAPlaneColor of the file: the order of the planes in its NoiseProfile.

    Returns
    -------
    list of Field
        NoiseReductionApplied and, if the noise is known, NoiseProfile. EnhanceParams is not for
        us: it belongs to an Enhanced IFD, which is demosaiced.
    """
    applied = Fraction(edit.strength).limit_denominator(1000)
    fields = [make_field(Tag.NOISE_REDUCTION_APPLIED, [(applied.numerator, applied.denominator)])]
    if edit.noise_profile is not None:
        profile = _noise_profile(edit.noise_profile, plane_colors)
        fields.append(make_field(Tag.NOISE_PROFILE, profile))
    return fields


def version_fields(ifd0: Ifd, storage: Storage) -> list[Field]:
    """State the versions of DNG, where what is stated is too little for how samples are stored."""
    tags = (Tag.DNG_VERSION, Tag.DNG_BACKWARD_VERSION)
    stated = [tag for tag in tags if ifd0.get(tag) is not None]
    if storage.compression == "jxl":  # of what is not stated, readers think too little
        return [make_field(tag, max(ifd0.ints(tag), storage.version)) for tag in tags]
    return [make_field(tag, storage.version) for tag in stated if ifd0.ints(tag) < storage.version]


def _noise_profile(noise: NoiseModel, plane_colors: Sequence[int]) -> list[float]:
    """Return (S, O) per plane, or once if all planes agree or there are no colours."""
    planes = "Y" if noise.colors == "Y" else [_LETTERS[color] for color in plane_colors]
    pairs = [
        (max(shot, _LEAST_SHOT_NOISE), read) for shot, read in (noise.of_color(c) for c in planes)
    ]
    if len(set(pairs)) == 1:
        pairs = pairs[:1]
    return [value for pair in pairs for value in pair]
