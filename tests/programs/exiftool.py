"""What exiftool says of files, many in one go, and in which tags a denoised DNG may differ."""

import json
import shutil
import subprocess

import pytest

MAY_DIFFER = {
    # the file, and where and how the samples lie in it
    "SourceFile", "FileName", "Directory", "FileSize", "FileModifyDate", "FileAccessDate",
    "FileInodeChangeDate", "FilePermissions", "SubfileType", "StripOffsets", "StripByteCounts",
    "RowsPerStrip", "TileWidth", "TileLength", "TileOffsets", "TileByteCounts", "Compression",
    "BitsPerSample", "LinearizationTable",
    # what the denoising changes, and says of itself
    "NoiseProfile", "NoiseReductionApplied", "RawDataUniqueID", "RawImageDigest",
    "NewRawImageDigest", "XMPToolkit", "Neural_restore", "Strength", "Process",
}  # fmt: skip


def need(program):
    """Skip where a program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


need_exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool is not installed"
)


def run(*command, **options):
    """Run a program; return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, timeout=240, **options).stdout


def exiftool(path, *options):
    """What exiftool prints of a file."""
    return run("exiftool", *options, path, text=True)


def run_exiftool(files, *options):
    """What exiftool reads in each file: {name: value}, numbers as numbers."""
    return json.loads(run("exiftool", "-j", "-n", *options, *files))


def dump(paths):
    """Everything exiftool reads in each file: {(group, name): values in their order}."""
    found = json.loads(run("exiftool", "-json", "-a", "-G1:4", "-u", "-b", *paths))
    return [_by_group(each) for each in found]


def differing(source, output):
    """The (group, name) of the tags in which two dumps differ."""
    return {key for key in source.keys() | output.keys() if source.get(key) != output.get(key)}


def _by_group(found):
    """Collect duplicates, which exiftool numbers across all groups, under one name."""
    values = {}
    for key, value in found.items():
        *groups, name = key.split(":")
        values.setdefault((groups[0] if groups else "", name), []).append(value)
    return values


def faults(paths):
    """The warnings and errors that exiftool has about each file."""
    options = ("-json", "-a", "-G4", "-validate", "-warning", "-error")
    found = json.loads(run("exiftool", *options, *paths))
    return [
        sorted(text for key, text in each.items() if key.split(":")[-1] in ("Warning", "Error"))
        for each in found
    ]
