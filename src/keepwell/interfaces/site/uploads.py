"""Where the bytes of uploaded files go: nowhere, unless a page has asked for them."""

import os
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from keepwell.services.team.uploads import Uploaded, upload_place
from keepwell.services.workspace import Workspace

Arrived: TypeAlias = "UploadedFile[Any]"
MEGABYTE: Final = 1_000_000
ENVELOPE: Final = 100_000
"""What a form may have around its files."""


class NoUploads(FileUploadHandler):
    """Reads no file: nobody fills the disk through a form that takes none, least of all without signing in."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """End reading at the first file."""
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass over bytes."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """There is never a file."""
        return


class InboxUploads(FileUploadHandler):
    """Writes files into the inbox piece by piece, at most `limit` bytes in all; never a whole one in memory."""

    def __init__(self, workspace: Workspace, limit: int) -> None:
        super().__init__()
        self.workspace, self.limit, self.taken = workspace, limit, 0
        self.too_large = False
        self.paths: list[Path] = []
        self.files: list[Uploaded] = []
        self.open: IO[bytes] | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        handle, path = upload_place(self.workspace)
        self.paths.append(path)
        self.open = os.fdopen(handle, "wb")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece; beyond the limit nothing more is read."""
        self.taken += len(raw_data)
        if self.taken > self.limit:
            self.too_large = True
            raise StopUpload(connection_reset=True)
        if self.open is not None:
            self.open.write(raw_data)

    def file_complete(self, file_size: int) -> Arrived:
        """End a file."""
        self._close()
        self.files.append(Uploaded(self.paths[-1], self.file_name or "", file_size))
        return UploadedFile(None, self.file_name, self.content_type, file_size)

    def upload_interrupted(self) -> None:
        """Forget what arrived of an interrupted upload."""
        self.forget()

    def forget(self) -> None:
        """Take away what was not kept."""
        self._close()
        for path in self.paths:
            path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None
