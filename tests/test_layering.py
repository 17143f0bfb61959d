"""Who may import whom, and which module is the only door to a third-party package.

The tables are read from ARCHITECTURE.md, each module's imports from its source, those inside
functions included.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fadn_cli

PACKAGE = Path(fadn_cli.__file__).parent
FACE = "fadn_cli"
"""The public face: `__version__` and the lazily imported names."""
PAGE = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")


def read_table(first, second):
    """The rows of a table of ARCHITECTURE.md, by its head: {first cell: second}, with dots."""
    _, _, table = PAGE.partition(f"| {first} | {second} |\n|---|---|\n")
    rows = [line.split("|")[1:3] for line in table.split("\n\n")[0].splitlines()]
    plain = ([cell.strip().replace("`", "").replace("/", ".") for cell in row] for row in rows)
    return dict(plain)


def read_rooms():
    """What each room may import, its stars written out."""
    rooms = read_table("room", "may import")
    names = list(rooms)
    for room, below in rooms.items():
        for star in [each for each in below.split() if each.endswith(".*")]:
            inside = [each for each in names if each.startswith(star[:-1]) and each != room]
            below = below.replace(star, " ".join(inside))
        rooms[room] = below
    return rooms


MAY_IMPORT = read_rooms()
"""By room: a folder, or a module at the top. Its modules may see each other as `ROWS` allows."""
ROWS = {room: order.split(",") for room, order in read_table("room", "order").items()}
"""Where the order inside a room matters: a module imports only from earlier rows."""
DOORS = read_table("package", "only in")
"""Third-party packages and their only doors; numpy may be used anywhere."""


def read_package():
    """Every module's source, by its name below fadn_cli; empty packages are left out."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or FACE
        if name in ("raw", "training"):  # their folders are in the table
            continue
        found[name] = path.read_text(encoding="utf-8")
    return found


def imports_of(module, source, modules):
    """The modules and packages that a module imports anywhere, ours without `fadn_cli.`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative import in line {node.lineno}"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top != FACE:
                yield top
                continue
            while rest and rest not in modules:
                rest = rest.rpartition(".")[0]
            yield f"{FACE}.{rest}" if rest else FACE


def folder_of(module):
    """A module's row of MAY_IMPORT, and its name inside; None if it has none."""
    if module in MAY_IMPORT:
        return module, ""
    folder, _, inner = module.rpartition(".")
    while folder and folder not in MAY_IMPORT:
        folder, _, above = folder.rpartition(".")
        inner = f"{above}.{inner}"
    return (folder, inner) if folder else None


def violations(modules):
    """What breaks the tables, one sentence each, for {module: source}."""
    for module, source in modules.items():
        place = folder_of(module)
        if place is None or (place[0] in ROWS and place[1] and row_of(*place) is None):
            yield f"{module} is in no table"
            continue
        for name in sorted(set(imports_of(module, source, modules))):
            if not allowed(module, place, name):
                yield f"{module} imports {name}"
    for circle in circles(modules):
        yield "a circle: " + " -> ".join(circle)


def allowed(module, place, name):
    """Whether a module at a place may import a package, or one of our modules."""
    top, _, target = name.partition(".")
    folder, inner = place
    if top != FACE:
        doors = DOORS.get(top, "").split()
        known = top == "numpy" or top in sys.stdlib_module_names
        return known or any(f"{module}.".startswith(f"{door}.") for door in doors)
    there = folder_of(target or FACE)
    if there is None or there[0] != folder:  # None: the target itself is reported
        return there is None or there[0] in MAY_IMPORT[folder].split()
    if folder not in ROWS or not inner or not there[1]:
        return True
    row = row_of(*there)
    return row is None or row < row_of(folder, inner)


def row_of(folder, inner):
    """The row of a folder's module; None if it has none."""
    rows = (number for number, row in enumerate(ROWS[folder]) if inner in row.split())
    return next(rows, None)


def circles(modules):
    """Every circle of modules that import one another, as the names on the way round."""
    above = {name: set(imports_of(name, source, modules)) for name, source in modules.items()}
    ours = {
        name: sorted({target.removeprefix(f"{FACE}.") for target in targets} & modules.keys())
        for name, targets in above.items()
    }
    done, way = set(), []

    def follow(module):
        if module in way:
            yield [*way[way.index(module) :], module]
        elif module not in done:
            way.append(module)
            for target in ours[module]:
                if target not in (module, FACE):
                    yield from follow(target)
            done.add(way.pop())

    for module in modules:
        yield from follow(module)


def empty_house():
    """Every module of the tables, with nothing in it."""
    inner = (f"{folder}.{name}" for folder, rows in ROWS.items() for name in " ".join(rows).split())
    return dict.fromkeys([*MAY_IMPORT, *inner, "denoise.noise.estimate", "screen.console"], "")


def test_every_import_is_in_the_tables():
    assert [] == list(violations(read_package()))


def test_folders_import_downwards_only():
    order = list(MAY_IMPORT)

    for folder, below in MAY_IMPORT.items():
        if folder != FACE:
            assert set(below.split()) - {FACE} <= set(order[: order.index(folder)]), folder


def test_every_folder_is_small_and_says_what_goes_in_and_out():
    for folder in [path for path in PACKAGE.rglob("*") if path.is_dir()]:
        sources = list(folder.glob("*.py"))
        if sources:
            face = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
            assert ast.get_docstring(face) and 1 == len(face.body), folder
            assert len(sources) <= 14, folder  # thirteen modules


@pytest.mark.parametrize(
    ("module", "source", "sentence"),
    [
        (
            "denoise.mix",
            "import fadn_cli.raw.tiff.ifd",
            "denoise.mix imports fadn_cli.raw.tiff.ifd",
        ),
        (
            "raw.tiff.tags",
            "from fadn_cli.denoise import tiles",
            "raw.tiff.tags imports fadn_cli.denoise.tiles",
        ),
        (
            "raw.tiff.file",
            "from fadn_cli.raw.tiff.tags import Tag",
            "raw.tiff.file imports fadn_cli.raw.tiff.tags",
        ),
        (
            "raw.tiff.ifd",
            "from fadn_cli.raw.source.reader import read_raw",
            "raw.tiff.ifd imports fadn_cli.raw.source.reader",
        ),
        (
            "denoise.noise.estimate",
            "from fadn_cli.denoise import frame",
            "denoise.noise.estimate imports fadn_cli.denoise.frame",
        ),
        (
            "denoise.mix",
            "from fadn_cli.denoise import tiles",
            "denoise.mix imports fadn_cli.denoise.tiles",
        ),
        (
            "screen.console",
            "def f():\n  import fadn_cli.compare.page",
            "screen.console imports fadn_cli.compare.page",
        ),
        (
            "noise",
            "from fadn_cli.training.run import train",
            "noise imports fadn_cli.training.run",
        ),
        ("batch.run", "if TYPE_CHECKING:\n  from rich.text import Text", "batch.run imports rich"),
        ("pipeline.file", "def f():\n  import rawpy", "pipeline.file imports rawpy"),
        (
            "raw.dng.write",
            "from onnxruntime import InferenceSession",
            "raw.dng.write imports onnxruntime",
        ),
        ("mosaic.steps", "import scipy.ndimage as nd", "mosaic.steps imports scipy"),
        (
            "mosaic.steps",
            "from fadn_cli import denoise_file",
            "mosaic.steps imports fadn_cli",
        ),
        ("newcomer", "", "newcomer is in no table"),
        ("raw.newcomer", "", "raw.newcomer is in no table"),
        ("raw.source.newcomer", "", "raw.source.newcomer is in no table"),
    ],
)
def test_what_breaks_the_tables_is_found(module, source, sentence):
    modules = empty_house() | {module: source}

    assert [sentence] == list(violations(modules))


def test_a_circle_inside_a_folder_is_found():
    both = {
        "screen.console": "import fadn_cli.screen.progress",
        "screen.progress": "def f():\n  from fadn_cli.screen import console",
    }

    assert ["a circle: screen.console -> screen.progress -> screen.console"] == list(
        violations(empty_house() | both)
    )


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pipeline.file", "from fadn_cli.raw.tiff import ifd\nimport numpy, hashlib"),
        ("pipeline.file", "from fadn_cli import __version__"),
        ("raw.dng.write", "from fadn_cli.raw.tiff.tags import Tag"),
        ("raw.source.reader", "def f():\n  import rawpy"),
        (
            "training.run.train",
            "import torch\nfrom fadn_cli.training.run.losses import pixel_loss",
        ),
    ],
)
def test_what_the_tables_allow_is_left_alone(module, source):
    modules = empty_house() | {module: source}

    assert [] == list(violations(modules))


def test_imports_by_name_at_run_time_happen_in_the_public_face_and_for_plugins_only():
    users = [
        module
        for module, source in read_package().items()
        if "import_module" in source or "__import__" in source
    ]

    assert [FACE, "denoise.network.providers"] == sorted(users, key=len)


def test_the_command_line_imports_nothing_slow():
    heavy = ["numpy", "rawpy", "onnxruntime", "torch", "PIL", "rich", "imagecodecs", "tifffile"]
    code = f"import sys, fadn_cli.cli.app; print([m for m in {heavy} if m in sys.modules])"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == run.stdout.strip()


def test_using_the_mosaic_needs_no_torch():
    code = "import sys, fadn_cli; fadn_cli.denoise_mosaic; print('torch' in sys.modules)"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == run.stdout.strip()
