"""Fixtures shared by all tests."""

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from fadn_cli.pipeline.file import denoise_file
from fadn_cli.pipeline.report import DenoiseReport
from tests.making.folders import fill
from tests.programs.chromium import Browser, find_chromium

# The same examples on every run: what a change did not break does not turn red. Look for new ones
# with `HYPOTHESIS_PROFILE=search python -m pytest tests/raw`.
hypothesis.settings.register_profile("repeat", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))


@pytest.fixture(autouse=True, scope="session")
def no_presets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the presets of whoever runs the tests out of them, and the tests out of theirs."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real raws and photographs; skips without it, fails if it was required."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("FADN_SHARED", default))
    if not (folder / "raws").is_dir():
        if os.environ.get("FADN_REQUIRE_SHARED") == "1":
            pytest.fail(f"FADN_REQUIRE_SHARED=1, but there is no {folder / 'raws'}")
        pytest.skip(f"no real raws at {folder}")
    return folder


@pytest.fixture(scope="session")
def raws(shared: Path) -> Path:
    """The folder of real raw files."""
    return shared / "raws"


@pytest.fixture(scope="session")
def denoised(
    raws: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Path, DenoiseReport]]:
    """A function that denoises a real raw by its name, once for all tests; they must not write."""
    folder = tmp_path_factory.mktemp("denoised")

    @functools.cache
    def denoise(name: str) -> tuple[Path, DenoiseReport]:
        output = folder / name
        return output, denoise_file(raws / name, output)

    return denoise


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with two raws and one below."""
    monkeypatch.chdir(tmp_path)
    return fill(Path("in"), "a.NEF", "b.dng", "deep/c.ARW").resolve()


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; skips without one."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed")
    browser = Browser(program)
    yield browser
    browser.close()
