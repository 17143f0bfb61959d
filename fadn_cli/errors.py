"""Everything fadn can tell a photographer went wrong, with the exit code of each.

::

    FadnError                exit 1    base; `.advice` says in one sentence what to do next
      ConfigError                 2    the presets or a list of bad pixels have a mistake, or the
                                       quality asked for is not there for this sensor
        DeviceError               2    the device asked for is unknown, or not there
      RawReadError                3    the file cannot be decoded: truncated, corrupt, not raw
        SourceChangedError        3    it was replaced or changed while it was worked on
      UnsupportedRawError         4    decoded, but not a mosaic we denoise (says what it is)
      NoiseModelError             5    no usable noise model
      WeightsError                6    weights missing, or their hash differs
      InferenceError              7    the network failed (memory: says which option lowers it)
      OutputExistsError           8    the output exists and --overwrite was not given
        OutputBusyError           8    another fadn is writing the output
      WriteError                  9    disk full, no permission; the partial file is removed

2 is also typer's own usage exit. A batch with any failure exits 1; Ctrl-C exits 130, another signal
128 and its number.
"""

from collections.abc import Iterable
from reprlib import Repr
from typing import ClassVar

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it: 128 + SIGINT."""

_SIGNS = (
    "can't start new thread",
    "failed to map segment",
    "annot allocate memory",
    "std::bad_alloc",
)
_FEW = 9  # values of a list that an error shows
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80  # characters


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


def naming(error: FadnError, name: str) -> FadnError:
    """Make an error say which photograph it struck, if it does not: in a batch, it could be any.

    Examples
    --------
    >>> str(naming(FadnError("b.dng: the disk is full"), "a.nef"))
    'a.nef: b.dng: the disk is full'
    >>> str(naming(FadnError("a.nef: is empty"), "a.nef"))
    'a.nef: is empty'
    """
    return error if name in str(error) else _rebuild(type(error), f"{name}: {error}", error.advice)


class ConfigError(FadnError):
    """The presets or a list of bad pixels have a mistake, or there is no such preset, device or
    quality."""

    exit_code = 2


class DeviceError(ConfigError):
    """The device asked for is unknown, or not there."""

    exit_code = 2


class RawReadError(FadnError):
    """The file cannot be decoded: truncated, corrupt, or not a raw file."""

    exit_code = 3


class SourceChangedError(RawReadError):
    """The source was replaced, changed or removed while it was worked on."""


class UnsupportedRawError(FadnError):
    """The file is recognised, but its mosaic is none that we denoise."""

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


def out_of_memory(name: str, error: Exception) -> InferenceError | None:
    """Say that memory was too little, and what needs less; None if it was not that.

    Parameters
    ----------
    name : str
        What was worked on.
    error : Exception
        As numpy, Python, the loader of libraries or the system put it.
    """
    said = str(error).strip()
    if not isinstance(error, MemoryError) and not any(sign in said for sign in _SIGNS):
        return None
    said = said.partition("\n")[0][:200]  # onnxruntime adds pages of detail
    reason = f" ({said})" if said else ""
    return InferenceError(
        f"{name}: memory is too little{reason}",
        advice="Close other programs, raise the limit if there is one (ulimit -v, ulimit -u), or"
        " use --jobs 1 --threads 1.",
    )


def few(values: Iterable[object], between: str = " ") -> str:
    """Spell values of a file for an error: of very many, the first and how many there are.

    Examples
    --------
    >>> few((2, 2), "x")
    '2x2'
    >>> few(range(5000))
    '0 1 2 3 4 5 6 7 8 ... (5000 values)'
    """
    texts = [str(value) for value in values]
    rest = f"{between}... ({len(texts)} values)" if len(texts) > _FEW else ""
    return between.join(texts[:_FEW]) + rest


def shown(value: object) -> str:
    """Spell what a user wrote for an error, in one line: long or deep values only in part.

    Examples
    --------
    >>> shown("best")
    "'best'"
    >>> len(shown("x" * 10000)) < 100
    True
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python spells no more digits [sys.set_int_max_str_digits]
        return "a number of thousands of digits"


class OutputExistsError(FadnError):
    """The output exists and overwriting was not asked for."""

    exit_code = 8


class OutputBusyError(OutputExistsError):
    """Another fadn is writing the output at this moment; a batch leaves it to that one."""


class WriteError(FadnError):
    """The output could not be written; the partial file has been removed."""

    exit_code = 9


class Needs:
    """What it would take to denoise the kinds of file that are refused: the advice given there.

    Nothing is guessed about such files; a mosaic of another kind needs networks that were trained
    on its kind.
    """

    ONLY_THESE = "only Bayer, X-Trans and monochrome mosaics are denoised"
    """What every refusal ends with."""
    OTHER_FILTERS = "That would need networks trained on this filter array, which do not exist yet."
    FOVEON = (
        "That would need networks trained on three colours in every pixel, which do not exist yet."
    )
    NEW_CAMERA = "That would need fadn to know this camera: report it, with a raw file if you can."
    ORIGINAL_RAW = (
        "That needs the sensor's own mosaic: denoise the camera's original raw file instead."
    )
    FULL_SIZE_RAW = "That needs the sensor's own mosaic: set the camera to full-size RAW."
    CALIBRATED_RAW = (
        "That needs the sensor's calibration applied: convert it with Adobe DNG Converter, and "
        "denoise that DNG."
    )
    ONE_MOSAIC = (
        "Merge the frames first, or extract them into files of their own with the camera maker's "
        "software, and denoise these."
    )
    REMOSAIC = (
        "Set the camera app to a raw of binned (a quarter of the) resolution, or convert the file "
        "with software that rearranges its colours to a 2x2 Bayer mosaic, and denoise that."
    )
    MERGED_ROWS = (
        "Merge the two gains first, for instance with cr2hdr or MLV App, and denoise that DNG."
    )
    INTEGER_RAW = (
        "That needs the sensor's own integers: denoise the raws it was merged from instead."
    )
    LOSSLESS_MOSAIC = (
        "Convert it with Adobe DNG Converter to a lossless or uncompressed mosaic DNG of up to 16 "
        "bits."
    )
