"""Each error has the exit code that is documented, and crosses processes whole."""

import pickle

import pytest

from fadn_cli import errors
from fadn_cli.errors import FadnError

CODES = {
    "FadnError": 1,
    "ConfigError": 2,
    "DeviceError": 2,
    "RawReadError": 3,
    "SourceChangedError": 3,
    "UnsupportedRawError": 4,
    "NoiseModelError": 5,
    "WeightsError": 6,
    "InferenceError": 7,
    "OutputExistsError": 8,
    "OutputBusyError": 8,
    "WriteError": 9,
}


def error_classes():
    found = vars(errors).values()
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, FadnError)]


def test_exit_codes_are_those_users_rely_on():
    assert CODES == {kind.__name__: kind.exit_code for kind in error_classes()}


@pytest.mark.parametrize("kind", error_classes())
def test_the_modules_docstring_states_every_code(kind):
    lines = [line.split() for line in errors.__doc__.splitlines() if kind.__name__ in line]

    assert len(lines) == 1
    assert str(kind.exit_code) in lines[0]


@pytest.mark.parametrize("kind", error_classes())
def test_an_error_keeps_its_advice_when_it_is_pickled(kind):
    error = kind("IMG_1.CR2: truncated", advice="Copy it again.")

    copy = pickle.loads(pickle.dumps(error))

    assert kind is type(copy)
    assert "IMG_1.CR2: truncated" == str(copy)
    assert "Copy it again." == copy.advice


def test_advice_may_be_left_out():
    assert FadnError("what happened").advice == ""
