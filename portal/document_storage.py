"""Where customers' papers are kept: a folder, or a private bucket of anything that speaks S3."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

#: The name of it in settings.STORAGES.
STORAGE = "documents"
MEGABYTE = 1024 * 1024


def documents_storage(env: environ.Env, folder: Path) -> dict[str, Any]:
    """The entry of STORAGES. The bucket's keys are boto3's own affair: its variables, files and machine roles."""
    bucket = env.str("DOCUMENTS_S3_BUCKET", default="")
    if not bucket:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": env.str("DOCUMENTS_DIR", default=str(folder)),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    endpoint = env.str("DOCUMENTS_S3_ENDPOINT", default="")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise ImproperlyConfigured("DOCUMENTS_S3_ENDPOINT must be an http(s):// address.")
    # Takes a second, and most run without a bucket.
    from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]  # noqa: PLC0415

    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint or None,
            "region_name": env.str("DOCUMENTS_S3_REGION", default="") or None,
            "location": env.str("DOCUMENTS_S3_PREFIX", default=""),
            # The bucket's own rules decide, which are to be: nobody. An ACL of ours could only open it.
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            # What is read lies on disk beyond this; it is sealed there too.
            "max_memory_size": MEGABYTE,
            # One part in memory at a time, not ten.
            "transfer_config": TransferConfig(use_threads=False, multipart_chunksize=5 * MEGABYTE),
        },
    }
