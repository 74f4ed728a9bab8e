"""Memory that is free but kept: how much of it the process may hoard."""

import ctypes
import sys
from contextlib import suppress

#: glibc's M_ARENA_MAX, for `mallopt`.
_ARENA_MAX = -8
#: Heaps that threads share. More would only help threads that ask for memory all the time.
ARENAS = 2


def share_heaps() -> bool:
    """Let all threads share a few heaps; whether this system does so (Linux with glibc).

    By default each of Gradio's 40 threads may get a heap, and each keeps what its largest explanation took,
    though nothing of it is in use (``python -m tests.bench.why_memory`` measures both ways).
    """
    if sys.platform != "linux":
        return False
    with suppress(OSError, AttributeError):  # another C library
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, ARENAS))
    return False
