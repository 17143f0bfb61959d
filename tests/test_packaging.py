"""The wheel carries the weights and works where the checkout is not."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from fadn_cli.denoise.network import specialists
from tests.making.dng.write import write_dng
from tests.making.mosaics import noisy_samples

pytest.importorskip("hatchling")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without isolation: the test extra brings hatchling, no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (path,) = folder.glob("fadn-*.whl")
    return path


def test_the_wheel_holds_code_weights_and_licence_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert "fadn_cli/weights/manifest.json" in names
    assert "fadn_cli/py.typed" in names
    for specialist in specialists.bundled():
        assert f"fadn_cli/weights/{specialist.file}" in names
    assert any(name.endswith("LICENSE") for name in names)
    for name in ("page.html", "page.css", "page.js"):
        assert f"fadn_cli/compare/{name}" in names
    manual = [name for name in names if name.endswith(".data/data/share/man/man1/fadn.1")]
    assert 1 == len(manual)
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert {"fadn_cli", manual[0].split("/")[0]} == tops


def test_the_wheel_stays_small(wheel):
    assert wheel.stat().st_size < 24e6


def test_the_installed_wheel_denoises_offline_in_a_clean_environment(wheel, tmp_path):
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    zipfile.ZipFile(wheel).extractall(packages)
    # The dependencies come from the environment of the tests, after the wheel's own files; a plain
    # line in a .pth file runs none of the .pth files there, so an editable fadn stays out.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    source = tmp_path / "photo.dng"
    write_dng(source, noisy_samples(128, 160, low=2000, high=2600))
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    clean = {"PATH": os.environ["PATH"], "http_proxy": "http://0.0.0.0:9", "HOME": str(tmp_path)}

    where = subprocess.run(
        [python, "-c", "import fadn_cli; print(fadn_cli.__file__)"],
        cwd=tmp_path,
        env=clean,
        check=True,
        capture_output=True,
        text=True,
    )
    done = subprocess.run(
        [python, "-m", "fadn_cli", "denoise", str(source), "--threads", "1"],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
    )

    page = tmp_path / "page.html"
    output = tmp_path / "photo_denoised.dng"
    compared = subprocess.run(
        [python, "-m", "fadn_cli", "compare", str(source), str(output), "-o", str(page)],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
    )

    assert str(environment) in where.stdout
    assert (0, True) == (done.returncode, (tmp_path / "photo_denoised.dng").exists()), done.stderr
    assert (0, f"{page}\n") == (compared.returncode, compared.stdout), compared.stderr
    assert page.stat().st_size > 20_000
