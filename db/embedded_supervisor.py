"""Owns the embedded PostgreSQL: ``python -m db.embedded_supervisor FOLDER PROGRAMS TEMPORARY durable|forgetful``.

No user owns the server, so that none can pull it from under another: each holds ``users.lock`` shared, and this process
waits to get it alone. The kernel lets go of a user's lock however the user ends, `kill -9` included; then PostgreSQL is
shut down, and so it is when this process itself is killed (Linux: at once, by the parent-death signal; elsewhere: by
the next start). Where PostgreSQL dies under its users it is started again at the same place.

It runs in a session of its own, so that Ctrl-C reaches the program and not the database, and tells its starter on
standard output how it went: ``ready``, ``taken`` where another serves the folder already, or what was wrong.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path

from db.embedded_folder import EmbeddedError, Folder, open_private, take
from db.embedded_processes import Processes
from db.embedded_server import Server

READY = "ready"
TAKEN = "taken"
RESTARTS = 5


def main(words: list[str]) -> int:
    """Serves the folder until nobody uses it. Returns the exit code."""
    _leave_the_starter()
    folder = Folder(Path(words[0]))
    if take(folder.supervisor_lock) is None:
        return _report(TAKEN)
    try:
        server = Server(folder, programs=Path(words[1]), temporary=Path(words[2]), durable=words[3] == "durable")
        _serve(folder, server)
    except (EmbeddedError, OSError) as error:
        return _report(str(error))
    return 0


def _serve(folder: Folder, server: Server) -> None:
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.processes.stop).start())
    threading.Thread(target=_stop_when_unused, args=(folder, server.processes), daemon=True).start()
    try:
        server.prepare()
        server.launch()
        _report(READY)
        # Code 0 is a shutdown that somebody asked for, as a machine does that goes down.
        while server.processes.wait() != 0 and not server.processes.stopping.is_set():
            _launch_again(server)
    finally:
        server.clear()


def _launch_again(server: Server) -> None:
    for attempt in range(RESTARTS):
        try:
            return server.launch()
        except EmbeddedError as error:
            print(error, file=sys.stderr, flush=True)  # noqa: T201 (standard error is the log)
            if attempt == RESTARTS - 1 or server.processes.stopping.is_set():
                raise
            time.sleep(0.1 * 2**attempt)
    return None


def _stop_when_unused(folder: Folder, processes: Processes) -> None:
    # Held to the end of this process: whoever comes now waits until PostgreSQL is gone.
    fcntl.flock(open_private(folder.users_lock), fcntl.LOCK_EX)
    processes.stop()


def _leave_the_starter() -> None:
    """Own session, own files: a pipe of the starter kept open here would keep its reader waiting."""
    os.setsid()
    os.umask(0o077)
    os.closerange(3, 1 << 16)


def _report(word: str) -> int:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, word.encode())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return int(word != READY)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
