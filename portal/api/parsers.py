"""Reading request bodies."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from portal.api.errors import TooLarge

#: The deepest body of this API has three levels.
DEEPEST = 20


class BoundedJSONParser(JSONParser):
    """JSON of a size and depth that whatever reads it later can follow; more is a client's fault, not ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body. Raises ParseError (400) or TooLarge (413)."""
        # Django bounds what it reads itself; here DRF reads the stream, so nothing else would.
        request = (parser_context or {}).get("request")
        length = request.META.get("CONTENT_LENGTH") if request is not None else 0
        if int(length or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge()
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        if _depth_exceeds(data, DEEPEST):
            raise ParseError("The JSON is nested too deeply.")
        return data


def _depth_exceeds(data: Any, limit: int) -> bool:
    level = [data]
    for _ in range(limit):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True
