"""Reports with plausible numbers, for the tests of what is planned, counted and shown."""

from pathlib import Path

from fadn_cli.pipeline.report import DenoiseReport, FileInfo, NoiseSummary

NOISE = NoiseSummary(
    shot_noise=(1e-4,) * 4, read_noise=(4e-6,) * 4, source="measured", grey_std=0.00469
)
PHOTO = {
    "make": "Canon",
    "model": "Canon EOS 550D",
    "iso": 800,
    "height": 3000,
    "width": 4000,
    "cfa": "RGGB",
    "noise_measured": NOISE,
    "noise_profile": None,
    "noise_prior": (2.4e-5, 2.4e-3),
    "noise_used": NOISE,
    "row_noise": 0.1,
    "column_noise": None,
    "specialist": "bayer-fast-low",
    "quality": "fast",
    "warnings": (),
}
"""What is said of a file, denoised or not."""


def make_report(source="IMG_1.CR2", output="IMG_1_denoised.dng", **changes):
    """A report of one denoised file."""
    fields = {
        "source": Path(source),
        "output": Path(output),
        "strength": 1.0,
        "luma": 1.0,
        "chroma": 1.0,
        "bad_pixels": 0,
        "hot_pixels": 0,
        "corner_gain": None,
        "banding_removed": (),
        "format": "dng",
        "tiles": 12,
        "seconds": {"read": 0.5, "estimate": 0.2, "denoise": 2.0, "write": 0.3, "total": 3.0},
        "peak_memory_bytes": 700_000_000,
        "megapixels": 12.0,
        "source_sha256": "0" * 64,
        "output_sha256": "1" * 64,
        "source_bytes": 20_000_000,
        "output_bytes": 12_000_000,
        "mean_shift": (0.0, 0.001, -0.001, 0.0),
        "residual_std_ratio": 0.2,
    }
    return DenoiseReport(**(PHOTO | fields | changes))


def make_info(path="IMG_1.CR2", **changes):
    """What `fadn info` says about one file."""
    fields = {
        "path": Path(path),
        "exposure_time": 1 / 125,
        "active_area": (10, 20, 2980, 3960),
        "black_level": ((512.0, 512.0), (512.0, 512.25)),
        "white_level": 15000.0,
        "orientation": 1,
        "bad_pixels": 40,
        "hot_pixels": 12,
        "is_fadn_output": False,
    }
    return FileInfo(**(PHOTO | fields | changes))
