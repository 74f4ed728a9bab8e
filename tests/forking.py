"""A Python that has imported the models and their libraries: what it is given runs in a fork of it.

Those take a program many seconds of a core; the tests start dozens, and pay for them once a process.
"""

import atexit
import gc
import json
import os
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: What these libraries read of their environment is read when they are imported, so before a fork.
READ_AT_IMPORT = ("HF_", "OAUTH_", "OPENID_", "SPACE", "SYSTEM")
#: What stands for ``python``: hands over its arguments, place, environment, input and outputs, then passes on
#: what signals come, and ends as the fork did. Where it is killed, so is the fork.
CLIENT = """
import json, os, signal, socket, sys
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    child = int.from_bytes(server.recv(4, socket.MSG_WAITALL), "big")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda given, _: os.kill(child, given))
    told = server.recv(4, socket.MSG_WAITALL)
status = int.from_bytes(told, "big", signed=True) if told else 1
if status < 0:
    if status != -signal.SIGKILL:
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


def python(**environment: str) -> str:
    """The path of a program that does what ``python FILE …``, ``-m MODULE …`` and ``-c CODE …`` do.

    It is Python itself where the ``environment`` holds what only a fresh one would read.
    """
    changed = (name for name, value in environment.items() if os.environ.get(name) != value)
    return sys.executable if any(name.startswith(READ_AT_IMPORT) for name in changed) else _forking()


@cache
def _forking() -> str:
    """Start the one that forks. It ends with this process, which holds the other end of its input."""
    folder = Path(tempfile.mkdtemp(prefix="forks"))  # short: the path of a socket may have 107 bytes
    address, client, program = folder / "socket", folder / "client.py", folder / "python"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        command = [sys.executable, "-m", "tests.forking", str(listener.fileno()), str(folder)]
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, pass_fds=[listener.fileno()])
    atexit.register(_end, server, folder)
    client.write_text(CLIENT.format(address=str(address)), encoding="utf-8")
    started = shlex.join([sys.executable, "-IS", str(client)])
    program.write_text(f'#!/bin/sh\nexec {started} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return str(program)


def _end(server: subprocess.Popen[bytes], folder: Path) -> None:
    with server:
        server.kill()
    shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------- in the one that forks


def serve(listener: socket.socket, folder: str) -> Callable[[], None] | None:
    """Fork for whoever asks until the input ends; in a fork, what it is to do comes back."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for a fork
    gc.freeze()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _attend(connection)
        connection.close()


def _attend(connection: socket.socket) -> Callable[[], None]:
    """Fork once more, and tell its number and how it ended; kill it where whoever asked is gone."""
    head, outputs, *_ = socket.recv_fds(connection, 4, 3)
    asked = connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
    child = os.fork()
    if child == 0:
        connection.close()
        for number, given in enumerate(outputs):
            os.dup2(given, number)
            os.close(given)
        return lambda: run(*json.loads(asked))
    for given in outputs:
        os.close(given)
    connection.sendall(child.to_bytes(4, "big"))
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if select.select([connection], [], [], 0.02)[0]:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
            break
    try:
        connection.sendall(os.waitstatus_to_exitcode(ended[1]).to_bytes(4, "big", signed=True))
    finally:
        os._exit(0)


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """What Python would do with these arguments."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            names: dict[str, Any] = {"__name__": "__main__"}
            exec(compile(code, "<string>", "exec"), names)
        case [file, *rest] if not file.startswith("-"):
            sys.argv = [file, *rest]
            runpy.run_path(file, run_name="__main__")
        case _:
            raise ValueError(f"a fork cannot do {arguments}")


if __name__ == "__main__":
    import train.cells.run  # noqa: F401

    if todo := serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]):
        todo()
