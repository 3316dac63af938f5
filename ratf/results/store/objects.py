"""The objects of a store: each is put whole, and one that others may put as well is put only where nobody did."""

import errno
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ratf.results.store.address import file_system, reached, told

_REFUSED = (errno.EINVAL, errno.EBUSY)
"""What s3fs makes of a condition that was not met (412), or of one that was being met by two at once (409)."""


_README = b"The run of a suite, kept here by `ratf run`; `ratf report ADDRESS` reads it.\n"


class Store:
    """The objects under an address, by name. Every method raises RaftError where the store cannot be used."""

    def __init__(self, address: str) -> None:
        """Open the store; nothing is asked of it yet."""
        self.address = address
        self._files, self._root = file_system(address)
        self.conditional = "s3" in _protocols(self._files)
        """Whether an object can be put on the condition that nobody else has put one."""

    def __repr__(self) -> str:
        """The store's address, without secrets."""
        return f"<Store {told(self.address)}>"

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def must_take(self) -> None:
        """Raises RaftError where nothing can be put here, so that it is known before anything is run."""
        with reached(self.address):
            if not self.conditional:
                self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(self._path("README.txt"), _README)

    def read(self, name: str) -> tuple[bytes, str] | None:
        """An object and the mark of its version, which is empty where the store has none; None where it is not there."""
        with reached(self.address):
            self._files.invalidate_cache()
            try:
                # the version first: an object that is replaced in between is then not taken for the older one
                version = str(self._files.info(self._path(name)).get("ETag", "")) if self.conditional else ""
                return bytes(self._files.cat_file(self._path(name))), version
            except FileNotFoundError:
                return None

    def create(self, name: str, content: bytes) -> bool:
        """Put an object where none is; False where one is there. Without conditional puts, the last of two at once wins."""
        with reached(self.address):
            if not self.conditional:
                if self._files.exists(self._path(name)):
                    return False
                self._put_aside(name, content)
                return True
            return self._won(FileExistsError, name, content, mode="create")

    def replace(self, name: str, content: bytes, version: str) -> bool:
        """Put an object in the place of that version; False where it was replaced since.

        A store without conditional puts has it written aside and renamed: the last one wins there, and it is whole.
        """
        with reached(self.address):
            if not self.conditional:
                self._put_aside(name, content)
                return True
            return self._won(FileNotFoundError, name, content, IfMatch=version)

    def _won(self, beaten: type[OSError], name: str, content: bytes, **condition: str) -> bool:
        """Put an object on a condition; False where the store refuses it, or answers with the error `beaten`."""
        try:
            self._files.pipe_file(self._path(name), content, **condition)
        except beaten:
            return False
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            return False
        return True

    def put(self, name: str, path: Path) -> None:
        """Put a file as an object."""
        with reached(self.address):
            self._make_room(name)
            self._files.put_file(str(path), self._path(name))

    def fetch(self, name: str, path: Path) -> None:
        """Write an object to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with reached(self.address):
            self._files.get_file(self._path(name), str(path))

    def names(self, under: str) -> list[str]:
        """The names of all objects under a name, in order."""
        with reached(self.address):
            self._files.invalidate_cache()
            try:
                found = self._files.find(self._path(under))
            except FileNotFoundError:
                return []
            return sorted(str(path)[len(self._root) + 1 :] for path in found)

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; one that is gone already is none to complain of."""
        several = [self._path(name) for name in names]
        with reached(self.address):
            for path in several:
                try:
                    self._files.rm_file(path)
                except FileNotFoundError:
                    continue

    def _put_aside(self, name: str, content: bytes) -> None:
        """Write an object under another name and rename it."""
        self._make_room(name)
        aside = self._path(f"{name}.{uuid.uuid4().hex[:8]}.part")
        self._files.pipe_file(aside, content)
        self._files.mv(aside, self._path(name))

    def _make_room(self, name: str) -> None:
        """Where folders are no mere names, make that of an object."""
        if not self.conditional:
            self._files.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
