"""One list of specialists, chosen by quality and noise; missing or altered weights are named."""

import json
from itertools import pairwise

import numpy as np
import pytest

from fadn_cli.denoise.network import specialists
from fadn_cli.errors import ConfigError, WeightsError
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


@pytest.fixture
def several(weights):
    """A manifest of four fast, five best and two networks of quality max, in no order."""
    rows = [
        *make_rows("fast", (0, 0.004, 0.0125, 0.04, None)),
        *make_rows("best", (0, 0.003, 0.01, 0.02, 0.06, None)),
        *make_rows("max", (0, 0.03, None)),
    ]
    write_manifest(weights, [rows[index] for index in (3, 8, 10, 0, 5, 1, 7, 4, 2, 9, 6)])


def make_rows(quality, edges):
    """One row of a manifest for each range between two edges."""
    return [
        {
            "name": f"bayer-{quality}-{low}",
            "file": "none.onnx",
            "sha256": "",
            "cfa_kind": "bayer",
            "quality": quality,
            "noise_range": [low, high],
            "alignment": 8,
            "receptive_field": 103,
            "reach": 48,
            "overlap": 80,
            "tile": 568,
            "inputs": "highpass-20",
            "parameters": 1,
            "macs_per_packed_pixel": 1,
            "residual_std": [[0.01, 0.1]],
            "psnr": {},
            "training": {},
        }
        for low, high in pairwise(edges)
    ]


def write_manifest(folder, rows):
    """Bundle these specialists and no others."""
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "specialists": rows}))
    specialists.bundled.cache_clear()


def at(std):
    """A noise of this sigma at mid grey."""
    return noise_model(0.0, std**2, source="test")


@pytest.mark.usefixtures("several")
def test_the_cleanest_quality_comes_first_and_each_goes_from_low_noise_to_high():
    order = [(each.quality, each.noise_range[0]) for each in specialists.bundled()]

    best = [("best", low) for low in (0, 0.003, 0.01, 0.02, 0.06)]
    fast = [("fast", low) for low in (0, 0.004, 0.0125, 0.04)]
    assert [("max", 0), ("max", 0.03), *best, *fast] == order


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("quality", specialists.QUALITIES)
def test_every_noise_gets_the_network_of_its_range_and_quality(quality):
    known = [each for each in specialists.bundled() if each.quality == quality]

    chosen = []
    for std in (0.0, *np.geomspace(1e-5, 3, 200)):
        noise = at(std)
        chosen.append(specialists.choose(noise, quality))
        low, high = chosen[-1].noise_range
        assert quality == chosen[-1].quality
        assert low <= noise.grey_std < high

    assert known == list(dict.fromkeys(chosen))


@pytest.mark.parametrize("quality", specialists.QUALITIES)
def test_noise_beyond_all_ranges_gets_the_nearest(weights, quality):
    rows = [make_rows(each, (0.001, 0.01, 0.1)) for each in specialists.QUALITIES]
    write_manifest(weights, sum(rows, []))

    lowest, highest = (specialists.choose(at(std), quality) for std in (1e-6, 10))

    assert (quality, quality) == (lowest.quality, highest.quality)
    assert ((0.001, 0.01), (0.01, 0.1)) == (lowest.noise_range, highest.noise_range)


def test_ranges_are_half_open(weights):
    edge = at(0.01).grey_std
    write_manifest(weights, make_rows("fast", (0, edge, None)))
    low, high = specialists.bundled()

    assert low == specialists.choose(at(0.01 * 0.9999))
    assert high == specialists.choose(at(0.01))


@pytest.mark.parametrize(
    ("bundled", "default"),
    [
        (("fast",), "fast"),
        (("best",), "best"),
        (("fast", "best"), "best"),
        (("fast", "best", "max"), "best"),
        (("fast", "max"), "fast"),
        (("max",), "max"),
    ],
)
def test_the_default_is_best_where_it_is_bundled(weights, bundled, default):
    write_manifest(weights, sum((make_rows(each, (0, 0.01, None)) for each in bundled), []))

    assert default == specialists.default_quality()
    assert default == specialists.choose(at(0.02)).quality


@pytest.mark.parametrize(
    ("bundled", "asked", "advice"),
    [
        (("fast",), "best", "Use one of: fast."),
        (("best",), "fast", "Use one of: best."),
        (("fast", "best"), "medium", "Use one of: best, fast."),
        (("fast", "best"), "max", "Use one of: best, fast."),
        (("fast", "max"), "best", "Use one of: max, fast."),
    ],
)
def test_a_quality_that_is_not_bundled_is_told_which_are(weights, bundled, asked, advice):
    write_manifest(weights, sum((make_rows(each, (0, 0.01, None)) for each in bundled), []))

    with pytest.raises(ConfigError, match=f"no specialist of quality {asked} for bayer") as caught:
        specialists.choose(at(0.01), asked)

    assert advice == caught.value.advice


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


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quality": "medium"}, "quality 'medium', not one of max, best, fast"),
        ({"quality": None}, "quality None"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_row_that_is_not_understood_is_named(weights, change, reason):
    row, *others = make_rows("fast", (0, 0.01, None))
    write_manifest(weights, [row | change, *others])

    with pytest.raises(WeightsError, match=rf"manifest\.json: unreadable.*{reason}"):
        specialists.bundled()


@pytest.mark.parametrize("missing", ("quality", "noise_range", "sha256"))
def test_a_row_without_one_of_its_keys_is_named(weights, missing):
    (row,) = make_rows("fast", (0, None))
    row.pop(missing)
    write_manifest(weights, [row])

    with pytest.raises(WeightsError, match=rf"manifest\.json: unreadable.*{missing}"):
        specialists.bundled()


@pytest.mark.parametrize("quality", (None, "fast"))
def test_an_empty_manifest_is_named(weights, quality):
    write_manifest(weights, [])

    with pytest.raises(WeightsError, match="lists no specialist"):
        specialists.choose(at(0.01), quality)


def test_weights_are_looked_for_beside_the_package_only(tmp_path, monkeypatch):
    package = tmp_path / "fadn_cli"
    folder = package / "denoise" / "network"
    folder.mkdir(parents=True)
    monkeypatch.setattr(specialists, "__file__", str(folder / "specialists.py"))

    with pytest.raises(WeightsError, match=rf"{package / 'weights'} nor {tmp_path / 'weights'}"):
        specialists.folder()


def test_the_share_left_is_interpolated_and_held_beyond_the_ends(weights):
    (row,) = make_rows("fast", (0, None))
    write_manifest(weights, [row | {"residual_std": [[0.01, 0.2], [0.03, 0.4]]}])
    specialist = specialists.find(row["name"])

    shares = [specialist.residual_at(std) for std in (0.001, 0.01, 0.02, 0.03, 0.5)]

    assert pytest.approx([0.2, 0.2, 0.3, 0.4, 0.4]) == shares


def test_an_ensemble_leaves_less_the_less_its_ways_up_are_alike(weights):
    (row,) = make_rows("fast", (0, None))
    curves = {"residual_std": [[0.01, 0.2]], "turned_correlation": [[0.01, 0.5], [0.03, 1.0]]}
    write_manifest(weights, [row | curves])
    specialist = specialists.find(row["name"])

    def left(std, **how):
        return specialist.residual_at(std, **how)

    assert pytest.approx(0.2) == left(0.01, ensemble=1)
    assert pytest.approx(0.2 * 0.75**0.5) == left(0.01, ensemble=2)
    assert pytest.approx(0.2 * 0.5625**0.5) == left(0.01, ensemble=8)
    assert left(0.01, ensemble=4) < left(0.02, ensemble=4) < left(0.03, ensemble=4)
    assert left(0.03, ensemble=4) == left(0.03)
    assert 1 == left(0.01, strength=0, ensemble=8)


@pytest.mark.parametrize("strength", (0.3, 0.7, 1))
def test_a_blend_of_an_ensemble_is_what_noise_and_its_ways_up_give(weights, strength):
    """Ways up as one part that they share and one that each has alone, both of the noise."""
    (row,) = make_rows("fast", (0, None))
    each, alike = 0.04, 0.6  # variance that is left, and covariance of two ways up over it
    curves = {"residual_std": [[0.01, each**0.5]], "turned_correlation": [[0.01, alike]]}
    write_manifest(weights, [row | curves])
    specialist = specialists.find(row["name"])

    # Of the noise and eight ways up; what is left of a way up has its variance in common with it.
    covariance = np.full((9, 9), each * alike)
    covariance[np.diag_indices(9)] = covariance[0] = covariance[:, 0] = each
    covariance[0, 0] = 1
    weight = np.array([1 - strength, *[strength / 8] * 8])

    left = specialist.residual_at(0.01, strength=strength, ensemble=8)
    assert pytest.approx(weight @ covariance @ weight) == left**2


def test_rows_that_say_nothing_of_ensembles_promise_nothing(weights):
    (row,) = make_rows("fast", (0, None))
    write_manifest(weights, [row])

    assert 0.1 == specialists.find(row["name"]).residual_at(0.01, ensemble=8)
