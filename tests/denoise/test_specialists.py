"""One list of specialists, chosen by noise; missing or altered weights are named."""

import json

import pytest

from fadn_cli.denoise import specialists
from fadn_cli.errors import WeightsError
from fadn_cli.noise import noise_model


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A copy of the bundled weights that a test may spoil."""
    for path in specialists.folder().iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(specialists, "folder", lambda: tmp_path)
    specialists.bundled.cache_clear()
    yield tmp_path
    specialists.bundled.cache_clear()


def at(std):
    """A noise of this sigma at mid grey."""
    return noise_model(0.0, std**2, source="test")


def test_ranges_cover_all_noise_without_gaps_or_overlaps():
    ranges = [specialist.noise_range for specialist in specialists.bundled()]

    assert 0 == ranges[0][0]
    assert float("inf") == ranges[-1][1]
    assert [high for _, high in ranges[:-1]] == [low for low, _ in ranges[1:]]


def test_there_is_one_for_low_and_one_for_high_noise():
    assert specialists.choose(at(1e-4)).name != specialists.choose(at(0.1)).name


def test_ranges_are_half_open():
    first, second = specialists.bundled()[:2]
    edge = first.noise_range[1]

    assert first == specialists.choose(at(edge * 0.999))
    assert second == specialists.choose(at(edge * 1.001))


def test_unknown_names_are_told_the_known_ones():
    with pytest.raises(WeightsError, match="no specialist is called 'nonsense'") as caught:
        specialists.find("nonsense")

    assert specialists.bundled()[0].name in caught.value.advice


def test_altered_weights_are_refused(weights):
    specialist = specialists.bundled()[0]
    path = weights / specialist.file
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(WeightsError, match=rf"{specialist.file}: sha256 is .*the manifest says"):
        specialists.read_weights(specialist)


def test_missing_weights_are_named(weights):
    specialist = specialists.bundled()[0]
    (weights / specialist.file).unlink()

    with pytest.raises(WeightsError, match=specialist.file):
        specialists.read_weights(specialist)


@pytest.mark.parametrize("text", ("", "{}", '{"specialists": [{"name": "x"}]}'))
def test_an_unreadable_manifest_is_named(weights, text):
    (weights / "manifest.json").write_text(text)

    with pytest.raises(WeightsError, match=r"manifest\.json: unreadable"):
        specialists.bundled()


def test_an_empty_manifest_is_named(weights):
    (weights / "manifest.json").write_text('{"specialists": []}')

    with pytest.raises(WeightsError, match="lists no specialist"):
        specialists.choose(at(0.01))


def test_weights_are_looked_for_beside_the_package_only(tmp_path, monkeypatch):
    package = tmp_path / "fadn_cli"
    (package / "denoise").mkdir(parents=True)
    monkeypatch.setattr(specialists, "__file__", str(package / "denoise" / "specialists.py"))

    with pytest.raises(WeightsError, match=rf"{package / 'weights'} nor {tmp_path / 'weights'}"):
        specialists.folder()


def test_the_share_left_is_interpolated_and_held_beyond_the_ends(weights):
    rows = json.loads((weights / "manifest.json").read_text())["specialists"]
    rows[0]["residual_std"] = [[0.01, 0.2], [0.03, 0.4]]
    (weights / "manifest.json").write_text(json.dumps({"specialists": rows}))
    specialist = specialists.find(rows[0]["name"])

    shares = [specialist.residual_at(std) for std in (0.001, 0.01, 0.02, 0.03, 0.5)]

    assert pytest.approx([0.2, 0.2, 0.3, 0.4, 0.4]) == shares
