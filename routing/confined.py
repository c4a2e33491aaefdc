"""An extract is read by a child process with limits on memory and time: what a hostile file claims costs the child, never the caller.

In: a path. Out: `RawRoads`, as from `routing.osm.load_extract`, or an index of places or a base map in a file. Called wherever a file comes
from outside (`routing.saved`, `routing.cli`).

What a .pbf may claim before it is inflated (64 KiB for a block's header, 32 MiB for a block) is checked by libosmium itself; the tests hold
it to that. The limits here catch the rest: memory that grows out of proportion, endless decompression, a crash in native code.
The child is this module run as a program, so that nothing of the caller's own main program is imported again.
"""

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from routing.errors import BadExtract, BadMap, BadPlaces, RoutingError
from routing.osm import Progress, RawRoads, load_extract

# osmium's node index takes 16 bytes for a node that takes a few in the file; arrays and names come on top. Porto: 3.2 MB of .pbf, 0.3 GB
_MEMORY_AT_LEAST, _MEMORY_PER_BYTE = 2**30, 64
# a good file takes much less: Porto 3 s, folding included
_SECONDS_AT_LEAST, _SECONDS_PER_MB = 60, 20
# an index of places is about as large as its extract
_WRITTEN_AT_LEAST, _WRITTEN_PER_BYTE = 2**26, 16


def load_extract_confined(path: Path, progress: Progress | None = None) -> RawRoads:
    """`load_extract` in a child process; the same result and the same errors.

    Raises
    ------
    BadExtract
        Also when the child crashed, or went beyond 1 GiB + 64 bytes of memory or 60 s + 20 µs of CPU per byte of the file.

    Notes
    -----
    0.2 s more than in process; memory for the arrays once more while they are handed over.
    """
    return _confined("roads", path, (), progress)


def write_places_confined(path: Path, target: Path, progress: Progress | None = None) -> None:
    """The extract's index of places, made by a child process: NAME.places whole, or what was there before.

    Raises
    ------
    BadExtract
        As `load_extract_confined`. BadPlaces: SQLite has no full-text search here, or the file cannot be written.
    """
    _write("places", path, target, progress, BadPlaces)


def write_map_confined(path: Path, target: Path, progress: Progress | None = None) -> None:
    """The extract's base map, made by a child process: NAME.mbtiles whole, or what was there before.

    Raises
    ------
    BadExtract
        As `load_extract_confined`. BadMap: there is nothing to draw, or the file cannot be written.
    """
    _write("map", path, target, progress, BadMap)


def _write(what: str, path: Path, target: Path, progress: Progress | None, wrong: type[RoutingError]) -> None:
    from routing.places.write import keep_whole, new_file

    try:
        temporary = new_file(target)
    except BadPlaces as error:
        raise wrong(str(error)) from error
    try:
        _confined(what, path, (str(temporary),), progress)
        keep_whole(target, temporary)
    except OSError as error:
        raise wrong(f"{target.name}: cannot be written here; is there room?") from error
    finally:
        temporary.unlink(missing_ok=True)


def _confined(what: str, path: Path, more: tuple[str, ...], progress: Progress | None) -> Any:
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "OSMIUM_POOL_THREADS": "2"}  # threads reserve address space, which is limited
    command = [sys.executable, "-P", "-m", "routing.confined", what, str(path), *more]  # -P: nothing of the working folder is imported
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as child:  # noqa: S603 - ourselves
        try:
            message = _listen(child.stdout, progress)
        finally:
            child.kill()
    if isinstance(message, RoutingError):
        raise message
    if message is None:
        raise BadExtract(f"{path.name}: the file is damaged, or asks for more memory or time than a file of its size may.")
    return message


def _listen(pipe: IO[bytes] | None, progress: Progress | None) -> Any:
    """What the child ends with; None when it ended without a word."""
    with suppress(EOFError, pickle.UnpicklingError):
        while pipe is not None:
            message = pickle.load(pipe)  # noqa: S301 - our own child's
            if not isinstance(message, tuple):
                return message
            if progress is not None:
                progress(*message)
    return None


def _limit(path: Path) -> None:
    """Bound this process by the size of its file, on systems that can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        size = path.stat().st_size
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        memory = used + _MEMORY_AT_LEAST + _MEMORY_PER_BYTE * size
        seconds = _SECONDS_AT_LEAST + _SECONDS_PER_MB * size // 10**6
        written = _WRITTEN_AT_LEAST + _WRITTEN_PER_BYTE * size
        limits = (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, written)
        for what, limit in limits:
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _child(what: str, path: Path, target: str = "") -> None:
    """Read, and write progress and the result to standard output as pickles."""
    _limit(path)
    tell = sys.stdout.buffer

    def say(message: Any) -> None:
        pickle.dump(message, tell, protocol=5)
        tell.flush()

    def tell_how_far(done: float, step: str) -> None:
        say((done, step))

    try:
        if what == "roads":
            say(load_extract(path, tell_how_far))
        elif what == "map":
            from routing.basemap.gather import gather_map
            from routing.basemap.write import write_map

            write_map(gather_map(path, tell_how_far), Path(target), tell_how_far)
            say("written")
        else:
            from routing.places.gather import gather_places
            from routing.places.write import write_index

            write_index(gather_places(path, tell_how_far), Path(target))
            say("written")
    except RoutingError as error:
        say(error)
    except MemoryError:
        os._exit(1)  # nothing more can be relied upon; the caller knows what silence means


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
