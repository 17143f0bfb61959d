"""While modules load nothing looks for garbage, and after it as before."""

import gc

import pytest

from fadn_cli.system import loading


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_inside_and_all_is_after():
    with loading.quick():
        assert not gc.isenabled()

    assert gc.isenabled()
    assert gc.get_freeze_count()


def test_who_switched_it_off_finds_it_off():
    gc.disable()

    with loading.quick():
        pass

    assert not gc.isenabled()


def test_an_error_inside_switches_it_on_again():
    with pytest.raises(ImportError), loading.quick():
        raise ImportError

    assert gc.isenabled()
