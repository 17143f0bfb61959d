"""Everything fadn can tell a photographer went wrong, with the exit code of each.

::

    FadnError                exit 1    base; `.advice` says in one sentence what to do next
      ConfigError                 2    the presets file has a mistake, or no such preset
      RawReadError                3    the file cannot be decoded: truncated, corrupt, not raw
      UnsupportedRawError         4    decoded, but not a mosaic we denoise (says what it is)
      NoiseModelError             5    no usable noise model
      WeightsError                6    weights missing, or their hash differs
      InferenceError              7    the network failed (memory: says which option lowers it)
      OutputExistsError           8    the output exists and --overwrite was not given
        OutputBusyError           8    another fadn is writing the output
      WriteError                  9    disk full, no permission; the partial file is removed

2 is also typer's own usage exit. A batch with any failure exits 1; Ctrl-C exits 130.
"""

from typing import ClassVar

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it: 128 + SIGINT."""


class FadnError(Exception):
    """An error of the user's file or machine, not of the program.

    Parameters
    ----------
    message : str
        What happened, which file, and the value seen; one line.
    advice : str
        What to do next; one sentence, may be empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by the default pickling, which worker processes rely on.
        return _rebuild, (type(self), str(self), self.advice)


def _rebuild(kind: type[FadnError], message: str, advice: str) -> FadnError:
    """Recreate an unpickled error."""
    return kind(message, advice=advice)


class ConfigError(FadnError):
    """The file of presets has a mistake, or does not hold the preset asked for."""

    exit_code = 2


class RawReadError(FadnError):
    """The file cannot be decoded: truncated, corrupt, or not a raw file."""

    exit_code = 3


class UnsupportedRawError(FadnError):
    """The file is recognised, but it is not a 2x2 Bayer mosaic we denoise."""

    exit_code = 4


class NoiseModelError(FadnError):
    """No usable noise model could be found for the mosaic."""

    exit_code = 5


class WeightsError(FadnError):
    """The weights are missing, or their hash differs from the manifest's."""

    exit_code = 6


class InferenceError(FadnError):
    """The network could not be run."""

    exit_code = 7


class OutputExistsError(FadnError):
    """The output exists and overwriting was not asked for."""

    exit_code = 8


class OutputBusyError(OutputExistsError):
    """Another fadn is writing the output at this moment; a batch leaves it to that one."""


class WriteError(FadnError):
    """The output could not be written; the partial file has been removed."""

    exit_code = 9
