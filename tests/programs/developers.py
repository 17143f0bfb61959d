"""Other people's raw developers, with settings that depend on nothing but the file.

Each function develops a raw to a picture: (height, width, 3) uint16, encoded as for a screen and
turned upright. `to_linear` takes the encoding off again.
"""

import numpy as np
import tifffile

from tests.programs.exiftool import need, run

WHITE = 65535
"""The largest number of a picture."""
SIDE = 64
"""Pixels of a block's side."""
DARKEST, BRIGHTEST = 0.02, 0.8
"""Linear means of the blocks that are compared: darker ones are noise, brighter ones clip."""
DARKTABLE_SETTINGS = (
    *("--conf", "plugins/darkroom/workflow=scene-referred"),
    *("--conf", "plugins/imageio/format/tiff/bpp=16"),
    *("--conf", "plugins/imageio/format/tiff/compress=0"),
)
"""All that is not its default."""
ONE = ("-t", "1")
"""darktable's threads: nothing may depend on how many there are."""
RAWTHERAPEE_PROFILE = """
[Version]
AppVersion=5.9
Version=349

[Exposure]
Auto=false
HistogramMatching=false

[HLRecovery]
Enabled=false

[RAW]
CA=false
HotPixelFilter=false
DeadPixelFilter=false

[RAW Bayer]
Method=amaze

[Color Management]
OutputProfile=RTv4_sRGB
"""
"""What RawTherapee may decide from the picture's content, switched off; the rest is neutral."""


def dcraw_emu(path):
    """LibRaw: camera white balance, no brightening, white as the file states it."""
    run("dcraw_emu", "-w", "-W", "-c", "0", "-6", "-T", path)
    return _picture(path.with_name(path.name + ".tiff"))


def darktable(path):
    """darktable: no XMP file, no presets of a user's, an empty configuration.

    What is left are the modules its scene-referred workflow switches on by itself, whose settings
    depend on the metadata alone; denoising is not among them.
    """
    out = path.with_suffix(".dt.tif")
    start = ("darktable-cli", path, out, "--icc-type", "SRGB", "--apply-custom-presets", "false")
    core = ("--configdir", path.parent / "dt", "--library", ":memory:", "--disable-opencl", *ONE)
    run(*start, "--core", *core, *DARKTABLE_SETTINGS)
    return _picture(out)


def rawtherapee(path):
    """RawTherapee: its neutral profile, and nothing decided from the picture's content."""
    profile, out = path.with_name("fixed.pp3"), path.with_suffix(".rt.tif")
    profile.write_text(RAWTHERAPEE_PROFILE)
    run("rawtherapee-cli", "-q", "-p", profile, "-t", "-b16", "-Y", "-o", out, "-c", path)
    return _picture(out)


PROGRAMS = {"dcraw_emu": dcraw_emu, "darktable-cli": darktable, "rawtherapee-cli": rawtherapee}
"""How to develop with each program, by the name it is installed under."""


def develop(program, path):
    """Develop a raw, or skip."""
    need(program)
    return PROGRAMS[program](path)


def to_linear(picture, program):
    """Take the encoding off: Rec. 709 from dcraw_emu, sRGB from the others; uint16 again."""
    x = np.arange(WHITE + 1) / WHITE
    if program == "dcraw_emu":
        table = np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** 2.222)
    else:
        table = np.where(x < 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return np.round(table * WHITE).astype(np.uint16)[picture]


def block_means(picture, side=SIDE):
    """(rows, columns, channels) means of the blocks of side x side pixels."""
    rows, cols = (length // side for length in picture.shape[:2])
    whole = picture[: rows * side, : cols * side]
    lines = whole.reshape(rows, side, -1).sum(axis=1, dtype=np.float64)
    return lines.reshape(rows, cols, side, -1).sum(axis=2) / side**2


def comparable(means):
    """Which blocks are neither too dark nor too bright, by the source's linear means, 0 to 1."""
    return ((means >= DARKEST) & (means <= BRIGHTEST)).all(axis=2)


def _picture(path):
    """Take up a 16-bit TIFF."""
    samples = tifffile.imread(path)
    path.unlink()  # 72 MB of a photograph of 12 megapixels
    assert samples.dtype == np.uint16
    return samples
