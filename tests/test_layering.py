"""Who may import whom, and which module is the only door to a third-party package.

The two tables are those of ARCHITECTURE.md; each module's imports are read from its source, those
inside functions included.
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

MAY_IMPORT = {
    "errors": "",
    "noise": "errors",
    "mosaic": "errors noise",
    "cores": "",
    "findings": "",
    "denoise": "errors noise mosaic cores",
    "locking": "",
    "files": "errors locking",
    "raw": "errors noise mosaic files cores findings",
    "report": "errors noise",
    "wording": "report",
    "output": f"errors noise mosaic denoise raw {FACE}",
    "usage": "",
    "options": "denoise raw",
    "preparation": "noise mosaic denoise options",
    "presets": "errors denoise files options",
    "pipeline": "errors noise mosaic denoise files raw report output usage options"
    f" preparation {FACE}",
    "results": f"errors files report {FACE}",
    "sources": "errors results",
    "naming": "raw",
    "planning": "errors raw results sources naming ledger pipeline",
    "ledger": f"denoise locking options report {FACE}",
    "sidecars": "errors files ledger",
    "worker": "errors denoise files output pipeline results planning ledger sidecars",
    "cluster": "errors results planning worker",
    "crew": "files results worker cluster",
    "batch": "errors cores files options report results planning ledger worker cluster crew",
    "compare": "errors noise mosaic denoise files raw report wording preparation pipeline results"
    f" {FACE}",
    "scene": "",
    "demo": "errors noise mosaic files raw report pipeline compare scene",
    "examine": "findings raw",
    "doctor": f"errors noise denoise raw cores presets findings wording {FACE}",
    "console": "errors report findings wording",
    "progress": "errors report results console wording",
    "cli": f"errors denoise report options pipeline sources results planning presets batch compare"
    f" demo doctor examine console progress cli {FACE}",
    "__main__": "errors console cli",
    FACE: "errors options pipeline",
    "training": f"errors noise mosaic denoise {FACE}",
}
"""By part of the house. Within a wing, a module may import those of earlier rows."""

ROWS = {
    "denoise": (
        "blocks levels mix packing stabilize",
        "estimate hotpixels specialists tiles",
        "network noise_choice",
        "frame",
    ),
    "raw": (
        "containers ifd quiet",
        "tiff",
        "tiff_write",
        "tags",
        "blocks comparison dng_checks edit marker previews room tag_rules tree",
        "describe",
        "camera dng_tags image_rules lossless maker_notes metadata pairs pictures rewrite",
        "byte_changes pieces samples size_notes structure tag_changes view",
        "reader shot",
        "render",
        "renew",
        "canonical splice tiff_image check verify",
        "dng",
    ),
    "compare": (
        "curves display picking picture residual",
        "chart facts",
        "pair",
        "page sheet thumbnail",
        "gallery publish",
    ),
}

DOORS = {
    "rawpy": "raw.reader raw.render",
    "onnxruntime": "denoise.network training",
    "tifffile": "raw.tiff_image",
    "imagecodecs": "raw.lossless",
    "platformdirs": "presets",
    "PIL": "raw.pictures raw.render compare training",
    "rich": "console progress",
    "typer": "cli",
    "distributed": "cluster",
    "torch": "training",
    "onnx": "training",
}
"""Third-party packages and their only doors; numpy may be used anywhere."""


def read_package():
    """Every module's source, by its name below fadn_cli; empty packages are left out."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or FACE
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


def violations(modules):
    """What breaks the tables, one sentence each, for {module: source}."""
    for module, source in modules.items():
        part, _, inner = module.partition(".")
        if part not in MAY_IMPORT or (inner and part in ROWS and row_of(part, inner) is None):
            yield f"{module} is in no table"
            continue
        for name in sorted(set(imports_of(module, source, modules))):
            if not allowed(part, inner, name):
                yield f"{module} imports {name}"


def allowed(part, inner, name):
    """Whether a module of a part may import a package, or one of our modules."""
    top, _, target = name.partition(".")
    if top != FACE:
        doors = DOORS.get(top, "").split()
        known = top == "numpy" or top in sys.stdlib_module_names
        return known or part in doors or f"{part}.{inner}" in doors
    target_part, _, target_inner = (target or FACE).partition(".")
    if target_part != part or not inner:
        return target_part in MAY_IMPORT[part].split()
    if part not in ROWS or not target_inner:
        return True
    row = row_of(part, target_inner)  # None: the target itself is reported
    return row is None or row < row_of(part, inner)


def row_of(part, inner):
    """The row of a wing's module; None if it has none."""
    rows = (number for number, row in enumerate(ROWS[part]) if inner in row.split())
    return next(rows, None)


def empty_house():
    """Every module of the tables, with nothing in it."""
    wings = (f"{wing}.{name}" for wing, rows in ROWS.items() for name in " ".join(rows).split())
    return dict.fromkeys([*MAY_IMPORT, *wings], "")


def test_every_import_is_in_the_tables():
    assert [] == list(violations(read_package()))


@pytest.mark.parametrize(
    ("module", "source", "sentence"),
    [
        ("denoise.mix", "import fadn_cli.raw.tiff", "denoise.mix imports fadn_cli.raw.tiff"),
        (
            "raw.tags",
            "from fadn_cli.denoise import tiles",
            "raw.tags imports fadn_cli.denoise.tiles",
        ),
        ("raw.tiff", "from fadn_cli.raw.tags import Tag", "raw.tiff imports fadn_cli.raw.tags"),
        (
            "denoise.mix",
            "from fadn_cli.denoise import tiles",
            "denoise.mix imports fadn_cli.denoise.tiles",
        ),
        ("console", "def f():\n  import fadn_cli.pipeline", "console imports fadn_cli.pipeline"),
        ("noise", "from fadn_cli.training import x", "noise imports fadn_cli.training"),
        ("batch", "if TYPE_CHECKING:\n  from rich.text import Text", "batch imports rich"),
        ("pipeline", "def f():\n  import rawpy", "pipeline imports rawpy"),
        ("raw.dng", "from onnxruntime import InferenceSession", "raw.dng imports onnxruntime"),
        ("mosaic", "import scipy.ndimage as nd", "mosaic imports scipy"),
        ("mosaic", "from fadn_cli import denoise_file", "mosaic imports fadn_cli"),
        ("newcomer", "", "newcomer is in no table"),
        ("raw.newcomer", "", "raw.newcomer is in no table"),
    ],
)
def test_what_breaks_the_tables_is_found(module, source, sentence):
    modules = empty_house() | {module: source}

    assert [sentence] == list(violations(modules))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pipeline", "from fadn_cli.raw import tiff\nimport numpy, hashlib"),
        ("pipeline", "from fadn_cli import __version__"),
        ("raw.dng", "from fadn_cli.raw.tags import Tag"),
        ("raw.reader", "def f():\n  import rawpy"),
        ("training.model", "import torch\nfrom fadn_cli.training.losses import pixel_loss"),
    ],
)
def test_what_the_tables_allow_is_left_alone(module, source):
    modules = empty_house() | {module: source}

    assert [] == list(violations(modules))


def test_imports_by_name_at_run_time_happen_in_the_public_face_only():
    users = [
        module
        for module, source in read_package().items()
        if "import_module" in source or "__import__" in source
    ]

    assert [FACE] == users


def test_the_command_line_imports_nothing_slow():
    heavy = ["numpy", "rawpy", "onnxruntime", "torch", "PIL", "rich", "imagecodecs", "tifffile"]
    code = f"import sys, fadn_cli.cli; print([m for m in {heavy} if m in sys.modules])"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == run.stdout.strip()


def test_using_the_mosaic_needs_no_torch():
    code = "import sys, fadn_cli; fadn_cli.denoise_mosaic; print('torch' in sys.modules)"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == run.stdout.strip()
