"""Presets: which choice holds, and what is wrong with a file says where and what is allowed."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from fadn_cli.denoise.network import specialists
from fadn_cli.errors import ConfigError, OutputExistsError, WriteError
from fadn_cli.pipeline import presets
from fadn_cli.pipeline.options import DenoiseOptions

FILE = """
[default]
quality = "fast"
luma = 0.5

[night]
strength = 0.8
hot_pixels = true

["slow and good"]
quality = "best"
chroma = 0.9
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.toml"


def read(path, text):
    path.write_text(text, encoding="utf-8")
    return presets.read_presets(path)


def values(path, name=None, **flags):
    """What holds, where it is not what is built in."""
    chosen = presets.resolve(read(path, FILE), name, flags)
    return {key: each.value for key, each in chosen.items() if each.source != "built in"}


def test_without_a_file_everything_is_built_in(path):
    chosen = presets.resolve(presets.read_presets(path))

    assert {"built in"} == {each.source for each in chosen.values()}
    assert DenoiseOptions() == DenoiseOptions(**{key: each.value for key, each in chosen.items()})


def test_default_holds_where_no_preset_is_named(path):
    assert {"quality": "fast", "luma": 0.5} == values(path)
    assert {"quality": "fast", "luma": 0.5} == values(path, "default")


def test_a_preset_wins_over_default_and_flags_win_over_both(path):
    assert {"quality": "best", "luma": 0.5, "chroma": 0.9} == values(path, "slow and good")
    assert {"quality": "fast", "strength": 0.8, "hot_pixels": True} == values(path, "night")
    assert values(path, "night", hot_pixels=False, iso=None) == {
        "quality": "fast",
        "strength": 0.8,
        "hot_pixels": False,
    }


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"strength": 0.4}, {"quality": "fast", "strength": 0.4}),
        ({"strength": 0.4, "luma": 0.1}, {"quality": "fast", "strength": 0.4, "luma": 0.1}),
        ({"chroma": 0.4}, {"quality": "fast", "luma": 0.5, "chroma": 0.4}),
        ({"specialist": "x"}, {"specialist": "x", "luma": 0.5}),
    ],
)
def test_a_choice_replaces_what_it_makes_meaningless_below_it(path, flags, expected):
    assert expected == values(path, **flags)


def test_what_is_said_of_dngs_says_nothing_of_a_tiff(path):
    found = read(path, '[default]\npreview = "none"\nthreads = 2\n[prints]\nformat = "tiff"')

    chosen = presets.resolve(found, "prints")

    assert ("render", "tiff", 2) == tuple(
        chosen[key].value for key in ("preview", "format", "threads")
    )
    assert "none" == presets.resolve(found, "prints", {"format": "dng"})["preview"].value
    assert DenoiseOptions(**{key: each.value for key, each in chosen.items()}).format == "tiff"


def test_every_choice_says_who_made_it(path):
    chosen = presets.resolve(read(path, FILE), "night", {"quality": "best"})

    sources = {key: chosen[key].source for key in ("strength", "luma", "quality", "iso")}
    assert sources == {
        "strength": "[night]",
        "luma": "built in",
        "quality": "command line",
        "iso": "built in",
    }


def test_a_preset_that_is_not_there_is_named_with_those_that_are(path):
    with pytest.raises(ConfigError, match="nigth") as caught:
        presets.resolve(read(path, FILE), "nigth", path=path)

    assert str(path) in str(caught.value)
    assert "default, night, slow and good" in caught.value.advice
    assert 2 == caught.value.exit_code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[night]\nstrenght = 0.5",
            ("[night]", "strenght = 0.5", "Did you mean strength?", "luma"),
        ),
        ("[a]\nfoo = [1]", ("[a]", "foo = [1]", "may hold strength, luma")),
        ("[a]\noverwrite = true", ("[a]", "overwrite = True is unknown", "strength")),
        ("[a]\nstrength = 2", ("[a]", "strength", "within 0..1", "got 2")),
        ('[a]\nluma = "low"', ("[a]", "luma", "within 0..1", "got 'low'")),
        ("[a]\nchroma = true", ("[a]", "chroma", "within 0..1", "got True")),
        ('[a]\nquality = "good"', ("[a]", "quality", "max, best or fast", "got 'good'")),
        ('[a]\nhot_pixels = "yes"', ("[a]", "hot_pixels", "true or false", "got 'yes'")),
        ("[a]\niso = 1.5", ("[a]", "iso", "a whole number", "got 1.5")),
        ("[a]\nshot_noise = 1e-4", ("[a]", "shot_noise and read_noise go together")),
        ('[a]\nspecialist = "x"', ("[a]", "specialist", "got 'x'", "bayer-")),
        ("strength = 1\n[a]", ("strength = 1", "outside of any preset", "[default]")),
        ("[a\nstrength = 1", ("not valid TOML", "line 1")),
        ("[a]\n[a]", ("not valid TOML", "line 2")),
    ],
)
def test_a_mistake_names_file_preset_key_and_value_and_what_is_allowed(path, text, said):
    with pytest.raises(ConfigError) as caught:
        read(path, text)

    whole = f"{caught.value} {caught.value.advice}"
    for part in (str(path), *said):
        assert part in whole


def test_a_network_of_another_quality_is_a_mistake(path):
    name = specialists.bundled()[0].name
    other = next(each for each in specialists.QUALITIES if each != specialists.find(name).quality)

    with pytest.raises(ConfigError, match=f"of quality {other}, got '{name}'"):
        read(path, f'[a]\nspecialist = "{name}"\nquality = "{other}"')

    assert {"a": {"specialist": name}} == read(path, f'[a]\nspecialist = "{name}"')


def test_a_file_that_cannot_be_read_is_a_mistake(path):
    path.write_bytes(b"\xff\xfe[\0")
    with pytest.raises(ConfigError, match="not valid TOML"):
        presets.read_presets(path)

    with pytest.raises(ConfigError, match="cannot be read"):
        presets.read_presets(path.parent)


def test_the_created_file_is_valid_and_explains_every_key(path):
    written = presets.create_config(path).read_text(encoding="utf-8")

    assert {"default": {}, "grain": {"luma": 0.5, "chroma": 1.0}} == presets.read_presets(path)
    for key in presets.KEYS:
        assert f"\n# {key} = " in written


def test_the_commented_choices_are_valid_too(path):
    presets.create_config(path)
    name = specialists.of_quality("best", "bayer")[0].name  # as its choice of quality says
    lines = path.read_text(encoding="utf-8").replace('specialist = ""', f'specialist = "{name}"')
    uncommented = [
        line.removeprefix("# ") if line.removeprefix("# ").split(" ")[0] in presets.KEYS else line
        for line in lines.splitlines()
    ]

    found = read(path, "\n".join(uncommented))

    assert set(presets.KEYS) == set(found["default"])


def test_a_created_file_never_replaces_one(path):
    path.write_text("[default]\n", encoding="utf-8")

    with pytest.raises(OutputExistsError, match=re.escape(str(path))) as caught:
        presets.create_config(path)

    assert "--overwrite" not in caught.value.advice  # which `fadn config` does not have
    assert "[default]\n" == path.read_text(encoding="utf-8")


def test_the_folder_of_the_created_file_is_created(tmp_path):
    path = tmp_path / "a" / "b" / "config.toml"

    assert path == presets.create_config(path)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["default"] == {}

    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        presets.create_config(tmp_path / "file" / "config.toml")


def test_the_file_is_at_the_platforms_place():
    path = presets.config_path()

    assert "config.toml" == path.name
    assert "fadn" in path.parts
    assert isinstance(path, Path)


def test_a_byte_order_mark_is_no_mistake(path):
    path.write_bytes(b"\xef\xbb\xbf" + FILE.encode())

    assert 0.8 == presets.read_presets(path)["night"]["strength"]


@pytest.mark.parametrize(
    ("text", "said"),
    (
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "{b=" * 5000, "nested too deeply"),
        ("[" + "a." * 5000 + "b]\nc = 1", r"\[a\], a = {'a': .* is unknown"),
        ("[a]\nstrength." + "a." * 5000 + "b = 1", "strength must be within 0..1, got {'a': "),
        ("[a]\nb = '" + "c" * 5000 + "'", r"b = 'c+\.\.\.c+' is unknown"),
        ("[a]\nb = 0x" + "f" * 5000, "b = a number of thousands of digits is unknown"),
        ("[default]\niso = 1" + "0" * 400, "iso must be a whole number"),
        ("[default]\nshot_noise = 1e300\nread_noise = 0", "shot_noise must be a number"),
        ("[default]\nthreads = 'two'", "threads must be a whole number, 1 to 1024, got 'two'"),
        ("#" * (1 << 21), "more than 1048576 bytes"),
    ),
)
def test_presets_that_no_machine_could_follow_are_errors(path, text, said):
    with pytest.raises(ConfigError, match=said) as caught:
        read(path, text)

    assert len(str(caught.value)) < len(str(path)) + 400


def test_presets_that_are_a_pipe_are_not_waited_for(path):
    os.mkfifo(path)

    with pytest.raises(ConfigError, match="a named pipe"):
        presets.read_presets(path)
