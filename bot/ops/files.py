"""Files named on the command line: reading them, and what is wrong if that fails."""

from pathlib import Path

from cadence.nearest import nearest


def unreadable(file: Path, error: OSError) -> str:
    """Why a file can't be read, with the file that was probably meant."""
    if isinstance(error, IsADirectoryError):
        return f"{file} is a folder. Name a file in it."
    if not isinstance(error, FileNotFoundError):
        return f"{file} can't be read: {error.strerror or type(error).__name__}."
    meant = similar(file)
    return f"There's no file {file}." + (f" Did you mean {meant}?" if meant else "")


def similar(file: Path) -> Path | None:
    """An existing file of the same kind with a similar name, in its folder or in `examples`."""
    for folder in (file.parent, Path("examples"), Path("examples/answers")):
        beside = {one.name: one for one in sorted(folder.glob(f"*{file.suffix}")) if one.is_file()}
        found = nearest(file.stem, [Path(name).stem for name in beside])
        if found is not None:
            return beside[f"{found}{file.suffix}"]
    return None
