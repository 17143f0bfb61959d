"""Run a specialist on one packed tile; with `providers` the only importer of onnxruntime.

`denoise.frame` calls it from several threads at once. The one thing to know: the network itself
maps features to a residual in units of sigma; the features and the sum (out = x + sigma * residual)
are float32 here, whatever precision the network's convolutions have.
"""

import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fadn_cli.denoise.network.specialists import Specialist, read_weights
from fadn_cli.denoise.noise import stabilize
from fadn_cli.denoise.sensors.sensor import reflected
from fadn_cli.errors import InferenceError, WeightsError, out_of_memory
from fadn_cli.noise import NoiseModel

PROVIDER = "CPUExecutionProvider"
"""What networks run on: onnxruntime's name for the processor."""

_AS_REQUESTED = 1  # onnxruntime's ArenaExtendStrategy


class Runs(Protocol):
    """A network that is loaded: onnxruntime's own session, or one like it."""

    def run(
        self, names: None, inputs: dict[str, NDArray[np.float32]]
    ) -> Sequence[NDArray[np.float32]]:
        """Return [residual] of {"features": features}, each with a first axis of one tile."""
        ...


_STRIP = 32  # rows at a time, so that the features' temporaries stay in the processor's cache


class Network:
    """A loaded specialist.

    Parameters
    ----------
    specialist : Specialist
    threads : int
        In all, shared by calls made at once; each caller works along. The result does not depend
        on it.
    session : Runs, optional
        The network, loaded onto another device; None: the int8 file on the processor.

    Raises
    ------
    WeightsError
        The weights are missing or not the ones of the manifest.
    InferenceError
        onnxruntime cannot load them.
    """

    def __init__(
        self, specialist: Specialist, *, threads: int, session: Runs | None = None
    ) -> None:
        self.specialist = specialist
        self._memory = threading.local()
        if specialist.inputs not in stabilize.KINDS:
            raise WeightsError(
                f"{specialist.name}: needs inputs {specialist.inputs!r}, unknown to this version",
                advice="Reinstall fadn: the weights belong to another version.",
            )
        self._inputs = stabilize.KINDS[specialist.inputs]
        self._session = session or on_processor(specialist.file, read_weights(specialist), threads)

    def __call__(self, packed: NDArray[np.float32], noise: NoiseModel) -> NDArray[np.float32]:
        """Denoise one tile.

        Parameters
        ----------
        packed : (planes, h, w) float32, normalized
            h and w multiples of the specialist's alignment. Not modified.
        noise : NoiseModel

        Returns
        -------
        (planes, h, w) float32, normalized, unclipped

        Raises
        ------
        ValueError
            h or w is not a multiple of the alignment.
        InferenceError
            onnxruntime failed, usually for want of memory.
        """
        _, height, width = packed.shape
        if height % self.specialist.alignment or width % self.specialist.alignment:
            raise ValueError(f"{packed.shape} is not a multiple of {self.specialist.alignment}")
        memory = self._buffer(_features_shape(height, width, self._inputs))
        features, std = make_features(packed, noise, self._inputs, out=memory)
        try:
            residual: NDArray[np.float32] = self._session.run(None, {"features": features})[0][0]
        except Exception as error:  # the same: out of memory comes as a RuntimeException
            raise InferenceError(
                f"{self.specialist.name} failed on a {width}x{height} tile: {first_line(error)}",
                advice="Close other programs, or use --threads 1 to need less memory.",
            ) from error
        _add_residual(std, residual, packed)
        return std

    def _buffer(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return this thread's memory for a tile's features: new pages cost a tenth of them."""
        buffer: NDArray[np.float32] | None = getattr(self._memory, "features", None)
        if buffer is None or buffer.shape != shape:
            buffer = self._memory.features = np.empty(shape, np.float32)
        return buffer


@lru_cache(maxsize=1)
def _has_own_arena() -> bool:
    """Give onnxruntime memory that grows by what is asked for; tell whether it took it.

    Its own grows by powers of two, of which a fifth is never used [measured].
    """
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    arena = onnxruntime.OrtArenaCfg(
        {
            "max_mem": 0,
            "arena_extend_strategy": _AS_REQUESTED,
            "initial_chunk_size_bytes": -1,
            "max_dead_bytes_per_chunk": -1,
        }
    )
    try:
        onnxruntime.create_and_register_allocator(memory, arena)
    except Exception:  # its exceptions share no base class; somebody else here has registered one
        return False
    return True


def on_processor(file: str, weights: bytes, threads: int) -> Runs:
    """Load a network onto the processor.

    Parameters
    ----------
    file : str
        What it is called.
    weights : bytes
        An ONNX file.
    threads : int
        See `Network`.

    Raises
    ------
    InferenceError
        onnxruntime cannot load them.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Fused and unfused int8 kernels differ: pinned, so that the same file gives the same bytes.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Threads that spin between tiles take the cores from the features, which are made here.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # Planned ahead, memory for all layers is held twice over; the plan gains nothing.
    options.enable_mem_pattern = False
    if _has_own_arena():
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 4
    try:
        session: Runs = start_session(weights, options, [PROVIDER])
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise out_of_memory(file, error) or InferenceError(
            f"{file}: onnxruntime cannot load it: {first_line(error)}",
            advice="Update onnxruntime.",
        ) from error
    return session


def start_session(weights: bytes, options: Any, named: list[Any]) -> Any:
    """Give an ONNX file to onnxruntime, for these providers; it raises what it likes.

    Its own way out of a failure would be another provider, and a page about it on stdout.
    """
    return onnxruntime.InferenceSession(
        weights, options, providers=named or None, enable_fallback=0
    )


def providers() -> tuple[str, ...]:
    """Return what this onnxruntime could run networks on, by its own names."""
    return tuple(onnxruntime.get_available_providers())


def first_line(error: Exception) -> str:
    """Return what an error says, without onnxruntime's pages of detail."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    # A long one begins with places in onnxruntime's source, and ends with what went wrong.
    return line if len(line) <= 200 else f"{line[:40]} ... {line[-150:]}"


def make_features(
    packed: NDArray[np.float32],
    noise: NoiseModel,
    inputs: stabilize.Inputs,
    *,
    out: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make a network's input from a tile, strip by strip.

    Parameters
    ----------
    packed : (planes, h, w) float32, normalized
        h and w even.
    noise : NoiseModel
    inputs : Inputs
        What the network sees; c channels, u packed pixels per side of a grid pixel.
    out : (1, c, h/u, w/u) float32, optional
        Where to put the features; None: new memory.

    Returns
    -------
    features : (1, c, h/u, w/u) float32
        See `stabilize`.
    std : (planes, h, w) float32
        sigma(x), the unit of the network's output.
    """
    planes, height, width = packed.shape
    shot, read = noise.shot_noise[:, None, None], noise.read_noise[:, None, None]
    step = inputs.unshuffle
    shape = _features_shape(height, width, inputs)
    features = np.empty(shape, np.float32) if out is None else out
    detail_part = features[0, : inputs.samples].reshape(planes, step, step, *shape[-2:])
    std = np.empty_like(packed)
    coarse = np.empty((inputs.levels, height // 2, width // 2), np.float32)
    for rows, padded in _padded_strips(packed, inputs.low_pass_radius):
        level = inputs.low_pass(padded)
        strip_std = inputs.of_planes(stabilize.noise_std(level, shot, read))
        std[:, rows] = strip_std
        detail = stabilize.detail(packed[:, rows], inputs.of_planes(level), strip_std)
        cells: NDArray[Any] = detail.reshape(planes, -1, step, shape[-1], step)
        grid = slice(rows.start // step, rows.stop // step)
        detail_part[..., grid, :] = cells.transpose(0, 2, 4, 1, 3)
        coarse[:, rows.start // 2 : rows.stop // 2] = stabilize.block_means(level)
    if inputs.has_chessboard:
        features[0, inputs.samples] = stabilize.chessboard(*shape[-2:])
    seen = features[0, inputs.samples + inputs.has_chessboard :]
    seen = seen.reshape(-1, inputs.levels, *shape[-2:])
    for one in np.ndindex(inputs.levels):  # one by one: they stay in the processor's cache
        own = coarse[one], shot[one], read[one]
        parts = [*stabilize.middle_bands(*own, inputs.bands, _reflect), stabilize.brightness(*own)]
        for part, target in zip(parts, seen[:, one[0]], strict=True):
            for row, col in np.ndindex(2 // step, 2 // step):
                target[row :: 2 // step, col :: 2 // step] = part
    return features, std


def _features_shape(height: int, width: int, inputs: stabilize.Inputs) -> tuple[int, int, int, int]:
    """Return the shape of a tile's features."""
    return 1, inputs.channels, height // inputs.unshuffle, width // inputs.unshuffle


def _reflect(plane: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Pad a plane by reflection on every side."""
    return np.pad(plane, radius, mode="reflect")


def _padded_strips(
    packed: NDArray[np.float32], pad: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield (rows, those rows padded by reflection) of a tile; the next one takes its memory."""
    planes, height, width = packed.shape
    buffer = np.empty((planes, _STRIP + 2 * pad, width + 2 * pad), np.float32)
    for top in range(0, height, _STRIP):
        rows = slice(top, min(top + _STRIP, height))
        around = reflected(np.arange(rows.start - pad, rows.stop + pad), height)
        padded = buffer[:, : len(around)]
        padded[..., pad:-pad] = packed[:, around]
        padded[..., :pad] = padded[..., 2 * pad : pad : -1]
        padded[..., -pad:] = padded[..., -pad - 2 : -2 * pad - 2 : -1]
        yield rows, padded


def _add_residual(
    std: NDArray[np.float32], residual: NDArray[np.float32], packed: NDArray[np.float32]
) -> None:
    """Turn sigma into the output, packed + sigma * residual, in place and strip by strip.

    Channel p * u^2 + u * row + col of a grid pixel is sample (row, col) of its u x u packed pixels.
    """
    planes, height, width = packed.shape
    step = height // residual.shape[1]
    blocks = residual.reshape(planes, step, step, height // step, width // step)
    shuffled = np.empty((planes, _STRIP, width), np.float32)
    for top in range(0, height, _STRIP):
        rows = slice(top, min(top + _STRIP, height))
        part = shuffled[:, : rows.stop - top]
        for row, col in np.ndindex(step, step):
            part[:, row::step, col::step] = blocks[:, row, col, top // step : rows.stop // step]
        std[:, rows] *= part
        std[:, rows] += packed[:, rows]
