"""`fadn config`: the file of presets, and what holds."""

from typing import Annotated

import typer

from fadn_cli.cli.options import Json, PresetOption


def config(
    preset: PresetOption = None,
    create: Annotated[
        bool, typer.Option("--create", help="Write the file, with every choice explained in it.")
    ] = False,
    json: Json = False,
) -> None:
    """Show your presets and what holds.

    Presets are choices kept in a file, so that you need not type them. Those of [default] always
    hold; those of any other hold with --preset NAME; an option on the command line wins over both.

    \b
    Examples:
      fadn config --create
      fadn config --preset grain
      fadn denoise IMG_1234.NEF --preset grain --strength 0.8
    """
    from fadn_cli.pipeline import presets
    from fadn_cli.screen import console

    path = presets.create_config() if create else presets.config_path()
    found = presets.read_presets(path)
    chosen = presets.resolve(found, preset, path=path)
    if json:
        values = {key: {"value": each.value, "source": each.source} for key, each in chosen.items()}
        shown = {"path": path, "exists": path.exists(), "presets": list(found)}
        console.show_json({**shown, "preset": preset, "values": values})
    else:
        rows = [(key, each.value, each.source) for key, each in chosen.items()]
        console.show_config(path, list(found), rows)
