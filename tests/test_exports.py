"""The public face: the same names in `__all__`, to type checkers, in `dir`, and at run time."""

import ast
import inspect

import pytest

import fadn_cli


def typed_names():
    """The names a type checker sees: those imported under TYPE_CHECKING."""
    blocks = [
        node
        for node in ast.parse(inspect.getsource(fadn_cli)).body
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    assert len(blocks) == 1
    return {
        alias.asname: f"{node.module}.{alias.name}"
        for node in blocks[0].body
        for alias in node.names
    }


def test_the_promise_is_these_names():
    assert {
        "__version__",
        "denoise_file",
        "denoise_mosaic",
        "DenoiseOptions",
        "FadnError",
    } == set(fadn_cli.__all__)


def test_the_list_is_sorted():
    assert sorted(fadn_cli.__all__) == fadn_cli.__all__


def test_type_checkers_see_what_is_promised():
    assert set(fadn_cli.__all__) - {"__version__"} == set(typed_names())


@pytest.mark.parametrize(("name", "home"), typed_names().items())
def test_each_name_is_what_type_checkers_think(name, home):
    thing = getattr(fadn_cli, name)

    assert home == f"{thing.__module__}.{thing.__qualname__}"
    assert name in dir(fadn_cli)


def test_other_names_are_refused_as_in_any_module():
    with pytest.raises(AttributeError, match="denoise_everything"):
        _ = fadn_cli.denoise_everything
