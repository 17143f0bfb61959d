"""Where fadn keeps what is the user's own, outside of any photograph's folder.

`pipeline.presets` reads the settings there, `denoise.network.trial` keeps what it found out. The
one thing to know: the only door to platformdirs; nothing is created here.
"""

from pathlib import Path

import platformdirs

_NAME = "fadn"


def config_folder() -> Path:
    """Return where the user's settings are, or would be."""
    return platformdirs.user_config_path(_NAME, appauthor=False)


def cache_folder() -> Path:
    """Return where what can be found out again is kept, or would be."""
    return platformdirs.user_cache_path(_NAME, appauthor=False)
