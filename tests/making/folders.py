"""Folders of photographs that are only names."""


def fill(folder, *names):
    """Create empty files and the folders above them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder
