"""`ratf` as a user who is not almighty: the permissions of files hold for root too."""

import ctypes
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class _Header(ctypes.Structure):
    _fields_: ClassVar = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_: ClassVar = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@contextmanager
def bound() -> Iterator[None]:
    """Give up root's powers inside the `with` block, by Linux' capset(2), version 3: this thread, and those it begins."""
    kernel, header, had = ctypes.CDLL(None), _Header(0x20080522, 0), (_Sets * 2)()
    assert kernel.capget(ctypes.byref(header), had) == 0
    none = (_Sets * 2)(*(_Sets(0, sets.permitted, 0) for sets in had))
    assert kernel.capset(ctypes.byref(header), none) == 0
    try:
        yield
    finally:
        assert kernel.capset(ctypes.byref(header), had) == 0


if __name__ == "__main__":
    with bound():
        runpy.run_module("ratf.cli", run_name="__main__", alter_sys=True)
