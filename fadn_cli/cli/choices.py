"""Options of `fadn denoise` for each file: what is written, how much noise goes, what is known."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fadn_cli.cli.options import finite, named, positive
from fadn_cli.limits import MOST_ISO, MOST_THREADS, MOST_VARIANCE


class OutputFormat(StrEnum):
    """What `fadn denoise` writes."""

    DNG = "dng"
    TIFF = "tiff"


class Preview(StrEnum):
    """What becomes of a DNG's previews."""

    RENDER = "render"
    KEEP = "keep"
    NONE = "none"


class Compression(StrEnum):
    """How a DNG's samples are stored."""

    LJ92 = "lj92"
    JXL = "jxl"
    NONE = "none"


class Bits(StrEnum):
    """How fine the steps of the stored samples may be."""

    AUTO = "auto"
    SOURCE = "source"


def _share(help: str) -> Any:
    """Describe an option that says how much of something, 0 to 1."""
    return typer.Option(metavar="F", min=0, max=1, callback=finite, help=help, show_default=False)


def _specialists(incomplete: str) -> list[str]:
    """Complete the name of a network."""
    from fadn_cli.denoise.network import specialists

    names = (specialist.name for specialist in specialists.bundled())
    return [name for name in names if name.startswith(incomplete)]


def _devices(incomplete: str) -> list[str]:
    """Complete the name of a device."""
    from fadn_cli.denoise.network.devices import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        parser=named,
        help="Raw files, folders that hold raw files, and patterns in quotes; - reads names"
        " from standard input, one a line or each ended by a NUL.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        parser=named,
        help="Folder for the outputs, created if need be; for a single raw file also the"
        " output itself, if it ends in .dng, .tif or .tiff. Else: beside each source.",
        show_default=False,
    ),
]
Format = Annotated[
    OutputFormat | None,
    typer.Option(
        help="dng: a raw file, to develop as you would the source. tiff: developed, 16-bit."
        " Else: what the output's name says, or dng.",
        show_default=False,
    ),
]
PreviewOption = Annotated[
    Preview | None,
    typer.Option(
        help="What a DNG shows in galleries. render: the denoised photograph, in the look of the"
        " camera's previews. keep: those themselves, noise included. none: a small thumbnail at"
        " most. Else: render.",
        show_default=False,
    ),
]
CompressionOption = Annotated[
    Compression | None,
    typer.Option(
        help="How a DNG's samples are stored. lj92: lossless JPEG. jxl: lossless JPEG XL,"
        " smaller, for software that reads DNG 1.7. none: as they are. Else: lj92.",
        show_default=False,
    ),
]
BitsOption = Annotated[
    Bits | None,
    typer.Option(
        help="How fine the steps of the samples are. auto: as fine as what is left of the noise"
        " asks for, up to 16 bits. source: as the source has them. Else: auto.",
        show_default=False,
    ),
]
Strength = Annotated[
    float | None, _share("How much of the noise to remove: 0 none, 1 all, the default.")
]
Luma = Annotated[
    float | None,
    _share("The same for grain: the mean of each cell's four samples. Else: the strength."),
]
Chroma = Annotated[
    float | None,
    _share(
        "The same for coloured specks: what the four differ from their mean. Else: the strength."
    ),
]
HotPixels = Annotated[
    bool | None,
    typer.Option(
        "--hot-pixels/--no-hot-pixels",
        help="Repair isolated defects (hot, dead or stuck pixels), or leave them to the"
        " network. Else: leave them; at base ISO the finest detail may pass for one.",
        show_default=False,
    ),
]
Banding = Annotated[
    bool | None,
    typer.Option(
        "--banding/--no-banding",
        help="Remove bands of rows and columns wherever they are clearly there, or leave them."
        " Else: remove those that are stronger than the grain that is left.",
        show_default=False,
    ),
]
Ensemble = Annotated[
    int | None,
    typer.Option(
        "--ensemble",
        metavar="1|2|4|8",
        help="Denoise every photograph that many ways up, mirrored and turned, and take the mean:"
        " a little better, as many times as slow. Else: once.",
        show_default=False,
    ),
]
BadPixels = Annotated[
    Path | None,
    typer.Option(
        "--bad-pixels",
        metavar="FILE",
        parser=named,
        help="Repair the pixels that this list names (x y on each line; `fadn bad-pixels` makes"
        " one), besides those that the raw file itself calls bad.",
        show_default=False,
    ),
]
Iso = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=MOST_ISO,
        help="Use this ISO speed instead of the file's to bound the measured noise.",
        show_default=False,
    ),
]
ShotNoise = Annotated[
    float | None,
    typer.Option(
        metavar="F",
        max=MOST_VARIANCE,
        callback=positive,
        help="Use this noise instead of measuring it, with --read-noise: the variance of a"
        " sample x (0 black, 1 white) is shot_noise * x + read_noise.",
        show_default=False,
    ),
]
ReadNoise = Annotated[
    float | None,
    typer.Option(
        metavar="F",
        min=0,
        max=MOST_VARIANCE,
        callback=finite,
        help="See --shot-noise; the two belong together.",
        show_default=False,
    ),
]
SpecialistOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=_specialists,
        help="Use this network (see `fadn models`) instead of choosing it by the noise.",
        show_default=False,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=MOST_THREADS,
        help="Processor threads; more than 16, or than there are cores, are not started. Else: one"
        " per core.",
        show_default=False,
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        autocompletion=_devices,
        help="What networks run on: cpu, cuda, tensorrt, coreml, directml, openvino or webgpu. One"
        " that fails or computes something else is told, and the processor goes on. Else: auto, a"
        " GPU that is there, right and faster (see docs/devices.md), or the processor.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Also print where the time went, and tracebacks."),
]
