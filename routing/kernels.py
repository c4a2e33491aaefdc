"""Compiled kernels are forgotten when their source changes.

numba keeps compiled code beside the source and looks only at the file of the function itself: one that is written into its callers, which
live in other files, would live on in them after it was changed. Called by the packages that hold kernels, before any is imported.
"""

import hashlib
from contextlib import suppress
from pathlib import Path


def forget_stale(folder: Path) -> None:
    """Delete a package's compiled kernels when any of its sources is not what it was. Where nothing may be written, nothing is kept."""
    digest = hashlib.sha256()
    for source in sorted(folder.glob("*.py")):
        digest.update(source.read_bytes())
    cache = folder / "__pycache__"
    stamp = cache / "kernels.sha256"
    with suppress(OSError):
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        for compiled in [*cache.glob("*.nbi"), *cache.glob("*.nbc")]:
            compiled.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())
