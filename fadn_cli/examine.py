"""Files looked at for the user: checked one by one, or compared with what they were made from.

The command line calls it, since it knows nothing of file formats itself. The one thing to know:
nothing is written, and a file that cannot be read is one more finding, not the end.
"""

from collections.abc import Sequence
from pathlib import Path

from fadn_cli.findings import FileFindings, Verification
from fadn_cli.raw.check import check_file
from fadn_cli.raw.verify import verify

__all__ = ["check_files", "compare_files"]


def check_files(paths: Sequence[Path]) -> tuple[FileFindings, ...]:
    """Find all that is wrong with each of several DNGs, in their order."""
    return tuple(check_file(path) for path in paths)


def compare_files(source: Path, output: Path) -> Verification:
    """Find how a denoised DNG differs from its source.

    Raises
    ------
    FadnError
        One of them cannot be read, or the output is no DNG.
    """
    return verify(source, output)
