"""Opening strangers' files. Runs as a process of its own (portal/confined.py) and knows nothing of the portal.

    python -I untrusted.py check    <kind> <longest PDF> <most pixels>
    python -I untrusted.py pictures <kind> <pages shown> <1 to make the provider's copy>
    python -I untrusted.py mark     <kind> <font> -

The file comes on standard input. `check` answers one JSON object: the code of what is wrong, or what the file is.
`pictures` answers a line of JSON that lists the pictures, then the pictures themselves. `mark` takes a line of text
before the picture, and answers a line of JSON and the picture with the text all over it. Libraries that read hostile
bytes are imported here alone: should one be broken into, it holds no secret, no database and no file.
"""

import io
import json
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

MEGABYTE = 1024 * 1024
#: What one file may take of the machine. A picture of 64 megapixels needs half of it.
MEMORY_BYTES = 1536 * MEGABYTE
CPU_SECONDS = 40
#: More than this beside the picture itself, and what goes on is the picture alone.
MOST_METADATA = MEGABYTE
#: All compressed parts of a PDF together may grow to this; more is a bomb, not a paper.
MOST_UNPACKED = 400 * MEGABYTE
#: The longest side of a preview, and of the picture that the provider gets of a file it does not take as it is.
PREVIEW_PIXELS = 1600
COPY_PIXELS = 4096
#: What a PDF may do by itself is nothing but show one of its pages.
ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/Rendition", "/RichMediaExecute", "/GoToE"}
)


class Refused(Exception):
    """The file is not taken; the argument is the code of why (portal/file_check.py has the words)."""


def main() -> None:
    """Bound this process, read the file, do what is asked."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    command, kind, first, second = sys.argv[1:5]
    text = sys.stdin.buffer.readline().decode() if command == "mark" else ""
    data = sys.stdin.buffer.read()
    out = sys.stdout.buffer
    if command == "check":
        try:
            found = checked(data, kind, int(first), int(second))
        except Refused as refusal:
            found = {"refused": str(refusal)}
        out.write(json.dumps(found).encode())
        return
    if command == "mark":
        made = [("marked", 1, marked(data, kind, text.strip(), first))]
    else:
        made = list(pictures(data, kind, int(first), is_copied=second == "1"))
    out.write(
        json.dumps([{"kind": name, "page": page, "size": len(one)} for name, page, one in made]).encode()
    )
    out.write(b"\n")
    for _, _, one in made:
        out.write(one)


def checked(data: bytes, kind: str, most_pages: int, most_pixels: int) -> dict[str, Any]:
    """How many pages it has, and whether it holds more than what it shows. Raises Refused."""
    if _holds_archive(data):
        raise Refused("archive")
    if kind == "application/pdf":
        return {"pages": _pdf_checked(data, most_pages, most_pixels), "extra": False}
    return {"pages": 1, "extra": _image_checked(data, kind, most_pixels)}


def _holds_archive(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return bool(archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        return False


# --- PDF ----------------------------------------------------------------------------------------------------


def _pdf_checked(data: bytes, most_pages: int, most_pixels: int) -> int:
    import pikepdf  # noqa: PLC0415  a JPEG needs none of it, and each import costs its time at every upload

    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Refused("pdf_damaged")
    if data[end + 5 :].strip(b"\x00\t\n\x0c\r "):
        raise Refused("pdf_tail")
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if pdf.is_encrypted:
                raise Refused("pdf_locked")
            _inspect(pdf, most_pixels)
            pages = len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise Refused("pdf_locked") from error
    except pikepdf.PdfError as error:
        raise Refused("pdf_damaged") from error
    if not pages:
        raise Refused("pdf_no_page")
    if pages > most_pages:
        raise Refused("pdf_long")
    # That it opens for people as well: another library, and the page's own streams.
    list(_pages(data, 1, 200))
    return pages


def _inspect(pdf: Any, most_pixels: int) -> None:
    """Every object, and what stands inside it. Raises Refused for what acts, carries files, explodes."""
    import pikepdf  # noqa: PLC0415

    waiting: list[Any] = list(pdf.objects)
    room = MOST_UNPACKED
    while waiting:
        one = waiting.pop()
        if isinstance(one, pikepdf.Stream):
            room -= _unpacked(one, room)
            if room <= 0 or int(one.get("/Width", 0)) * int(one.get("/Height", 0)) > most_pixels:
                raise Refused("heavy")
        if isinstance(one, pikepdf.Array):
            waiting += [part for part in one if _is_nested(part)]
            continue
        if not isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            continue
        keys = set(one.keys())
        if "/XFA" in keys:
            raise Refused("pdf_xfa")
        if "/EF" in keys or "/EmbeddedFiles" in keys or one.get("/Type") == pikepdf.Name.EmbeddedFile:
            raise Refused("pdf_files")
        if "/JS" in keys or "/JavaScript" in keys or str(one.get("/S", "")) in ACTIONS:
            raise Refused("pdf_acts")
        for key in keys & {"/OpenAction", "/AA"}:
            _inspect_opening(one[key])
        waiting += [part for part in (one.get(key) for key in keys) if _is_nested(part)]


def _unpacked(stream: Any, room: int) -> int:
    """How large a stream is without its compression; at least `room` when that is all it may take."""
    import pikepdf  # noqa: PLC0415

    given = stream.get("/Filter", pikepdf.Array())
    filters = [str(name) for name in (given if isinstance(given, pikepdf.Array) else [given])]
    pieces: Iterator[bytes] = iter([stream.read_raw_bytes()])
    for name in filters[:8]:
        if name not in {"/FlateDecode", "/Fl"}:
            break
        pieces = _inflated(pieces)
    size = 0
    for piece in pieces:
        size += len(piece)
        if size >= room:
            break
    return size


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What is under one compression, a megabyte at a time; up to where it is damaged."""
    unpacker = zlib.decompressobj()
    for piece in pieces:
        waiting = piece
        while waiting:
            try:
                found = unpacker.decompress(waiting, MEGABYTE)
            except zlib.error:
                return
            waiting = unpacker.unconsumed_tail
            yield found


def _inspect_opening(action: Any) -> None:
    """What happens when it is opened may be nothing but going to one of its pages."""
    import pikepdf  # noqa: PLC0415

    if not isinstance(action, pikepdf.Dictionary):
        return
    inner = [action] if "/S" in action else [action.get(key) for key in action.keys()]  # noqa: SIM118
    for one in inner:
        if isinstance(one, pikepdf.Dictionary) and one.get("/S") != pikepdf.Name.GoTo:
            raise Refused("pdf_acts")


def _is_nested(part: Any) -> bool:
    """A direct object to look into; indirect ones are in the list of objects."""
    import pikepdf  # noqa: PLC0415

    return isinstance(part, pikepdf.Array | pikepdf.Dictionary) and not part.is_indirect


def _pages(data: bytes, most: int, longest: int) -> Iterator[Any]:
    """The first pages as pictures. Raises Refused when it does not open."""
    import pypdfium2  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        document = pypdfium2.PdfDocument(data)
        for number in range(min(most, len(document))):
            page = document[number]
            scale = longest / max(*page.get_size(), 1)
            yield page.render(scale=scale).to_pil().convert("RGB")
            page.close()
    except pypdfium2.PdfiumError as error:
        raise Refused("pdf_damaged") from error


# --- Images -------------------------------------------------------------------------------------------------


def _image_checked(data: bytes, kind: str, most_pixels: int) -> bool:
    """Decode the whole picture. Returns whether the file holds more than it. Raises Refused."""
    # Of a HEIC the provider gets a new picture always, so it matters little what else is in it.
    extra = kind == "image/heic" or (_jpeg_extra(data) if kind == "image/jpeg" else _png_extra(data))
    try:
        with _opened(data, kind) as image:
            if image.width * image.height > most_pixels:
                raise Refused("image_pixels")
            if kind == "image/png" and getattr(image, "n_frames", 1) > 1:
                raise Refused("image_moves")
            # A JPEG is read whole at an eighth of its size, and so in a fraction of its memory.
            image.draft("RGB", (1, 1))
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError) as error:
        raise Refused("image_damaged") from error
    return extra


def _opened(data: bytes, kind: str) -> Any:
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None  # we count ourselves, before anything is decoded
    if kind == "image/heic":
        import pi_heif  # type: ignore[import-untyped]  # noqa: PLC0415

        pi_heif.register_heif_opener()
    formats = {"image/jpeg": "JPEG", "image/png": "PNG", "image/heic": "HEIF"}
    return Image.open(io.BytesIO(data), formats=[formats[kind]])


def _jpeg_extra(data: bytes) -> bool:
    """Whether there is something behind the picture's end, or much before it. Raises Refused when it has no end."""
    at, beside = 2, 0
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise Refused("image_damaged")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xD9:
            return at + 2 < len(data) or beside > MOST_METADATA
        elif 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 2
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            beside += length if 0xE0 <= marker <= 0xEF or marker == 0xFE else 0
            at += 2 + length
            if marker == 0xDA:
                at = _scan_end(data, at)
    if data[at : at + 2] == b"\xff\xd9":
        return beside > MOST_METADATA
    raise Refused("image_damaged")


def _scan_end(data: bytes, at: int) -> int:
    """Where the next marker stands after the coded part that begins at `at`."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1] if at + 1 < len(data) else 0
        if following and not 0xD0 <= following <= 0xD7:
            return at
        at += 2
    return len(data)


def _png_extra(data: bytes) -> bool:
    """Whether there is something behind the picture's end, or much beside it. Raises Refused when it has no end."""
    at, beside = 8, 0
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
        if name == b"IEND":
            return at < len(data) or beside > MOST_METADATA
        beside += length if name not in {b"IHDR", b"PLTE", b"IDAT"} else 0
    raise Refused("image_damaged")


# --- Pictures -----------------------------------------------------------------------------------------------


def pictures(data: bytes, kind: str, most_pages: int, *, is_copied: bool) -> Iterator[tuple[str, int, bytes]]:
    """The previews, and the provider's copy where asked for: (kind, page, JPEG)."""
    if kind == "application/pdf":
        for number, page in enumerate(_pages(data, most_pages, PREVIEW_PIXELS), start=1):
            yield "preview", number, _jpeg(page, 80)
        return
    with _opened(data, kind) as image:
        longest = COPY_PIXELS if is_copied else PREVIEW_PIXELS
        # Of a JPEG decodes no more than it takes: the picture stays at least so large.
        image.draft("RGB", (longest, longest))
        upright = _upright(image)
    upright.thumbnail((longest, longest))
    if is_copied:
        yield "provider", 1, _jpeg(upright, 92)
        upright.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
    yield "preview", 1, _jpeg(upright, 80)


def marked(data: bytes, kind: str, text: str, font: str) -> bytes:
    """The picture as a JPEG, with the text across it, again and again: legible on dark and on bright, in every part."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415

    with _opened(data, kind) as image:
        picture = image.convert("RGB")
    letters = ImageFont.truetype(font, max(14, max(picture.size) // 55))
    left, top, right, bottom = (int(edge) for edge in letters.getbbox(text))
    line = Image.new("L", (right - left + 60, bottom - top + 12))
    ImageDraw.Draw(line).text((30 - left, 6 - top), text, fill=110, font=letters)
    line = line.rotate(28, expand=True)
    veil = Image.new("L", picture.size)
    for number, down in enumerate(range(-line.height // 2, picture.height, line.height * 2 // 3)):
        # Every other row begins half a text later, so that no strip of the picture stays free.
        for across in range(-line.width // 2 * (number % 2), picture.width, line.width):
            veil.paste(line, (across, down), line)
    picture.paste((255, 255, 255), (1, 1), veil.crop((0, 0, veil.width - 1, veil.height - 1)))
    picture.paste((40, 40, 40), (0, 0), veil)
    return _jpeg(picture, 80)


def _upright(image: Any) -> Any:
    """As it is meant to be seen, on white, without anything that is not the picture."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    turned = ImageOps.exif_transpose(image)
    if turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info:
        turned = turned.convert("RGBA")
        white = Image.new("RGB", turned.size, "white")
        white.paste(turned, mask=turned.getchannel("A"))
        return white
    if turned.mode.startswith("I;16"):
        turned = turned.point(lambda value: value / 256).convert("L")
    return turned.convert("RGB")


def _jpeg(image: Any, quality: int) -> bytes:
    into = io.BytesIO()
    image.info.clear()  # what was beside the picture would be written along
    image.save(into, "JPEG", quality=quality, optimize=True)
    return into.getvalue()


if __name__ == "__main__":
    main()
