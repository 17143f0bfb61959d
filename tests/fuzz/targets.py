"""What is fuzzed: small files of every kind, and what is asked of each when it is damaged.

The one thing to know: a target is given bytes and may raise a FadnError or return; at the doors of
the codecs, where it is the contract, also a ValueError. Whatever else happens is a finding.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np

from fadn_cli.batch.ledger import Entry, read_entries
from fadn_cli.batch.sidecars import read_edits
from fadn_cli.errors import FadnError
from fadn_cli.pipeline.defects.listing import check_list
from fadn_cli.pipeline.file import denoise_file, inspect_file
from fadn_cli.pipeline.options import DenoiseOptions
from fadn_cli.pipeline.presets import TEMPLATE, read_presets
from fadn_cli.raw.check.dng import check_file
from fadn_cli.raw.check.verify import verify
from fadn_cli.raw.codec import jpegxl, lossless
from fadn_cli.raw.previews.pictures import decode_jpeg
from fadn_cli.raw.source.defects import read_bad_pixels
from fadn_cli.raw.source.metadata import read_blocks
from fadn_cli.raw.tiff.opcodes import read_opcodes
from fadn_cli.raw.xmp.merge import Edits, merge
from tests.making import jpegxl as jpegxl_layouts
from tests.making.ciff import as_crw, photograph
from tests.making.containers import CONTAINERS
from tests.making.dng.previewed import write_previewed
from tests.making.dng.write import write_dng
from tests.making.iiq import write_iiq
from tests.making.kodak import as_dcr
from tests.making.layouts import colors, cutting, levels, places, private
from tests.making.mosaics import noisy_samples
from tests.making.opcodes import fix_constant, fix_list, in_raw, opcode_list
from tests.making.pictures import jpeg
from tests.making.raf import write_raf
from tests.making.sensor_files import write_grey_tiff, write_sensor
from tests.making.xmp import keywords, xmp

MOST_MEGAPIXELS = 4
"""Of a photograph: what is more is to be refused, so that no case may take much memory."""
SMALL = 1_000_000
"""Bytes of a real file that is taken."""

Target = Callable[[bytes, Path, random.Random], None]
"""Called with damaged bytes, an empty folder and what decides how it is asked."""


class Seed(NamedTuple):
    """A file to damage, and what is to cope with it."""

    name: str
    data: bytes
    target: Target
    weight: int
    """How often it is taken, beside the others."""


_OPTIONS = (
    {},
    {"format": "tiff"},
    {"compression": "jxl", "preview": "none"},
    {"compression": "none", "preview": "keep", "bits": "source"},
    {"hot_pixels": True, "banding": True, "strength": 0.5},
    {"luma": 0.3, "chroma": 0.9, "shot_noise": 1e-4, "read_noise": 1e-6},
)


def raw_file(data: bytes, folder: Path, rng: random.Random) -> None:
    """Ask a raw file everything that the command line can."""
    source = folder / "a.dng"
    source.write_bytes(data)
    limits = {"max_megapixels": MOST_MEGAPIXELS}
    for ask in rng.choice(((check,), (check, info), (denoise,))):
        ask(source, rng, limits)


def check(source: Path, rng: random.Random, limits: dict[str, float]) -> None:
    """`fadn check`, which raises nothing."""
    check_file(source, **limits)
    with suppress(FadnError):
        read_blocks(source)


def info(source: Path, rng: random.Random, limits: dict[str, float]) -> None:
    """`fadn info`."""
    inspect_file(source, DenoiseOptions(quality="fast", **limits))


def denoise(source: Path, rng: random.Random, limits: dict[str, float]) -> None:
    """`fadn denoise`, and what came of it, checked and verified."""
    before = source.read_bytes()
    choice = rng.choice(_OPTIONS)
    options = DenoiseOptions(quality="fast", threads=1, **choice, **limits)
    output = source.with_name("b.tif" if choice.get("format") == "tiff" else "b.dng")
    try:
        denoise_file(source, output, options)
    finally:
        assert source.read_bytes() == before, "the source was changed"
        left = {path.name for path in source.parent.iterdir()} - {source.name, output.name}
        assert not left, f"left behind: {left}"
    if output.suffix == ".dng":
        verify(source, output)
        check_file(output)


def metadata(data: bytes, folder: Path, rng: random.Random) -> None:
    """Containers without samples."""
    path = folder / "a.raw"
    path.write_bytes(data)
    try:
        read_blocks(path)
    finally:
        inspect_file(path, DenoiseOptions(max_megapixels=MOST_MEGAPIXELS))


def packet(data: bytes, folder: Path, rng: random.Random) -> None:
    """XMP as a sidecar, and as a DNG's own."""
    (folder / "a.dng").write_bytes(b"")
    (folder / "a.dng.xmp").write_bytes(data)
    edits, _ = read_edits(folder / "a.dng")
    merge(xmp(elements=keywords("a", "b")), edits)
    merge(data, Edits(names=("a.xmp",), packets=(xmp('xmp:Rating="3"'),)))


def state_file(data: bytes, folder: Path, rng: random.Random) -> None:
    """The ledger."""
    (folder / ".fadn-state.jsonl").write_bytes(data)
    for name in ("a.dng", "b\udcff.dng", ""):
        read_entries(folder / (name or "c"))


def preset_file(data: bytes, folder: Path, rng: random.Random) -> None:
    """Presets, and a list of bad pixels."""
    (folder / "config.toml").write_bytes(data)
    for read in (read_presets, check_list):
        try:
            read(folder / "config.toml")
        except FadnError:
            continue


def opcodes(data: bytes, folder: Path, rng: random.Random) -> None:
    """Opcode lists."""
    read_bad_pixels(data, (64, 96)).sites((64, 96))
    with_value_errors(lambda: list(read_opcodes(data)))


def lossless_jpeg(data: bytes, folder: Path, rng: random.Random) -> None:
    """The codec of lossless JPEG."""
    lossless.stream_fault(data, 64 * 96)
    decode_jpeg(data)


def jpeg_xl(data: bytes, folder: Path, rng: random.Random) -> None:
    """The codec of JPEG XL."""
    with_value_errors(lambda: jpegxl.decode_stream(data, 64 * 96))


def picture(data: bytes, folder: Path, rng: random.Random) -> None:
    """Previews."""
    decode_jpeg(data)


def with_value_errors(call: Callable[[], object]) -> None:
    """Call what may raise a ValueError."""
    with suppress(ValueError):
        call()


def all_seeds(folder: Path, raws: Path | None) -> list[Seed]:
    """Write one file of each kind, and take the real ones that are small.

    Parameters
    ----------
    folder : Path
        Empty.
    raws : Path or None
        Real raws, if there are any.
    """
    seeds = [*_stand_ins(folder), *_codes(), *_texts()]
    for path in sorted(raws.rglob("*")) if raws else ():
        if path.is_file() and path.suffix != ".md" and path.stat().st_size <= SMALL:
            seeds.append(Seed(path.name, path.read_bytes(), raw_file, 2))
    return seeds


def _stand_ins(folder: Path) -> Iterator[Seed]:
    """Yield synthetic raw files."""
    samples = noisy_samples(64, 96)
    bad = in_raw(fix_constant(0), fix_list([(3, 4), (10, 11)], [(5, 5, 7, 9)]))
    path = folder / "seed"
    written = {
        "plain.dng": lambda: write_dng(path, samples),
        "tiles.dng": lambda: write_dng(path, samples, tile=(32, 48), byteorder=">"),
        "strips.dng": lambda: write_dng(path, samples, rows_per_strip=9, in_subifd=True),
        "bad-pixels.dng": lambda: write_dng(path, samples, extra_raw=bad),
        "profile.dng": lambda: write_dng(path, samples, noise_profile=(1e-4, 1e-6)),
        "previews.dng": lambda: write_previewed(path, noisy_samples(128, 192)),
        "xtrans.dng": lambda: write_sensor(path, "xtrans"),
        "mono.dng": lambda: write_sensor(path, "mono"),
        "grey.tif": lambda: write_grey_tiff(path, samples),
        "fuji.raf": lambda: write_raf(path),
        "fuji-bayer.raf": lambda: write_raf(path, x_trans=False),
        "phase-one.iiq": lambda: write_iiq(path, noisy_samples(480, 640)),
    }
    for name, write in written.items():
        write()
        yield Seed(name, path.read_bytes(), raw_file, 2)
    kinds = (cutting.codings, cutting.pieces, cutting.tables, levels.black_levels, levels.areas)
    kinds += (colors.layouts, private.layouts, places.layouts, jpegxl_layouts.layouts)
    for name, layout in itertools.chain(*(kind().items() for kind in kinds)):
        layout.write(path)
        yield Seed(f"{name} (layout)", path.read_bytes(), raw_file, 1)
    for name, data in CONTAINERS.items():
        yield Seed(f"container.{name}", data, metadata, 3)
    for order in "<>":
        yield Seed(f"{order}.crw", as_crw(photograph(order), byteorder=order), metadata, 3)
        fields = {271: (2, "Kodak"), 272: (2, "DCS Pro SLR/n")}
        yield Seed(f"{order}.dcr", as_dcr(fields, byteorder=order), metadata, 3)


def _codes() -> Iterator[Seed]:
    """Yield streams of the codecs."""
    samples = np.asarray(noisy_samples(64, 96))
    pairs = samples.reshape(64, 48, 2)
    for name, each, predictor in (("pairs", pairs, 1), ("single", samples, 6)):
        stream = imagecodecs.jpeg8_encode(each, lossless=True, predictor=predictor)
        yield Seed(f"{name}.ljpeg", bytes(stream), lossless_jpeg, 12)
    yield Seed("picture.jpg", jpeg(64, 96), picture, 6)
    yield Seed("16.jxl", next(iter(jpegxl.encode_tiles(samples))), jpeg_xl, 12)
    bad = opcode_list(fix_constant(0), fix_list([(3, 4)], [(5, 5, 7, 9)]))
    yield Seed("opcodes", bad, opcodes, 12)


def _texts() -> Iterator[Seed]:
    """Yield what programs and people write."""
    words = xmp('crs:Exposure2012="+1.00" xmp:Rating="3"', keywords("one", "two"))
    yield Seed("packet.xmp", words, packet, 20)
    entry = Entry(output="a.dng", output_sha256="0", source_sha256="1", key="2", source="/a")
    yield Seed("state.jsonl", entry.line() * 3, state_file, 12)
    chosen = TEMPLATE.replace("# strength", "strength").replace("# iso", "iso")
    yield Seed("config.toml", chosen.encode(), preset_file, 12)
    yield Seed("bad.txt", b"# a list\n1 2\n30 40\n", preset_file, 4)
