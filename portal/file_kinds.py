"""The kinds of files that are taken from people."""

from django.db import models


class FileKind(models.TextChoices):
    """By content, never by name (portal/file_check.py)."""

    PDF = "application/pdf", "PDF"
    JPEG = "image/jpeg", "JPEG"
    PNG = "image/png", "PNG"
    HEIC = "image/heic", "HEIC"


#: What a download is called at its end.
EXTENSIONS: dict[str, str] = {
    FileKind.PDF: "pdf",
    FileKind.JPEG: "jpg",
    FileKind.PNG: "png",
    FileKind.HEIC: "heic",
}
