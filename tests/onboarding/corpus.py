"""Files as strangers send them, made by code: each with what has to become of it.

`REFUSED` maps a name to (how it is made, what its refusal says); `TAKEN` to (how it is made, its true kind, whether
the provider gets a picture made of it). Nothing here is harmful: EICAR is the string every scanner takes for a virus.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
import pillow_heif
from pikepdf import Dictionary, Name
from PIL import Image, PngImagePlugin

from tests.onboarding.papers_support import jpeg, pdf, png

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
MEGABYTE = 1024 * 1024


def heic() -> bytes:
    """A photo as iPhones take it, with the place where it was taken."""
    into = io.BytesIO()
    shot = pillow_heif.from_pillow(Image.new("RGB", (320, 200), "navy"))
    shot.save(into, quality=50, exif=located().tobytes())
    return into.getvalue()


def located(orientation: int = 1) -> Image.Exif:
    """What a phone writes beside a photo: how it was held, and where."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    exif[0x010E] = "Secret place 48.8583"
    return exif


def located_jpeg() -> bytes:
    """Held upright: the picture lies on its side, and the metadata say so."""
    into = io.BytesIO()
    Image.new("RGB", (320, 200), "navy").save(into, "JPEG", exif=located(orientation=6))
    return into.getvalue()


def gif(*, frames: int = 1) -> bytes:
    """A picture of a kind that nobody scans papers into."""
    into = io.BytesIO()
    more = [Image.new("P", (32, 32), place) for place in range(1, frames)]
    Image.new("P", (32, 32)).save(into, "GIF", save_all=frames > 1, append_images=more)
    return into.getvalue()


def animated_png() -> bytes:
    """What is looked at is not what is seen a second later."""
    into = io.BytesIO()
    shown = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    shown[0].save(into, "PNG", save_all=True, append_images=shown[1:])
    return into.getvalue()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def huge_png(side: int = 50_000) -> bytes:
    """Says it has two and a half thousand million pixels; decoded, ten gigabytes."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(MEGABYTE))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def huge_jpeg(side: int = 50_000) -> bytes:
    """A small photo whose header was changed to the same size."""
    content = bytearray(jpeg())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(content)


def text_bomb() -> bytes:
    """A megabyte and a half of compressed words beside a small picture; a hundred times that when read."""
    into = io.BytesIO()
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "x" * (40 * MEGABYTE), zip=True)
    Image.new("RGB", (32, 32)).save(into, "PNG", pnginfo=about)
    return into.getvalue()


def heavy_metadata() -> bytes:
    """A JPEG with three megabytes of words, as no camera writes them."""
    content = jpeg()
    word = b"\xff\xfe" + struct.pack(">H", 65_000) + b"w" * (65_000 - 2)
    return content[:2] + word * 48 + content[2:]


def zip_bomb() -> bytes:
    """A hundred megabytes of nothing in a hundred kilobytes."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("passport.pdf", bytes(100 * MEGABYTE))
    return into.getvalue()


def small_zip() -> bytes:
    """An archive to hang behind something else."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return into.getvalue()


def made_pdf(change: Callable[[pikepdf.Pdf], None], **saved: object) -> bytes:
    """A PDF of one page with something done to it."""
    into = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        change(document)
        document.save(into, **saved)  # type: ignore[arg-type]
    return into.getvalue()


def pdf_with_root(name: str, value: object) -> bytes:
    """A PDF with an entry more in its catalogue."""
    return made_pdf(lambda document: document.Root.__setitem__(name, value))


def pdf_script() -> bytes:
    """Runs a script when it is opened."""
    return pdf_with_root("/OpenAction", Dictionary(S=Name.JavaScript, JS="app.alert('hello')"))


def pdf_hidden_script() -> bytes:
    """Runs one when a page is turned to, out of compressed objects, which a search for words does not find."""

    def change(document: pikepdf.Pdf) -> None:
        act = document.make_indirect(Dictionary(S=Name.JavaScript, JS="app.alert('hello')"))
        document.pages[0].AA = Dictionary(O=act)

    return made_pdf(change, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def pdf_opening_at_a_page() -> bytes:
    """Opens at its first page, as every second word processor writes it: no harm."""

    def change(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = Dictionary(S=Name.GoTo, D=pikepdf.Array([document.pages[0].obj, Name.Fit]))

    return made_pdf(change)


def pdf_with_file() -> bytes:
    """Another file inside."""

    def change(document: pikepdf.Pdf) -> None:
        document.attachments["invoice.exe"] = b"MZ" + bytes(64)

    return made_pdf(change)


def pdf_with_password(user: str = "secret") -> bytes:
    """Locked; without a user's password it opens everywhere and is locked all the same."""
    return made_pdf(lambda _: None, encryption=pikepdf.Encryption(user=user, owner="owner"))


def pdf_of_pages(count: int) -> bytes:
    """Many pages."""

    def change(document: pikepdf.Pdf) -> None:
        for _ in range(count - 1):
            document.add_blank_page()

    return made_pdf(change)


def packed_zeros(megabytes: int) -> bytes:
    """Zeros, compressed; made of one piece said many times over, for to compress them all takes seconds."""
    packer = zlib.compressobj()
    piece = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece + again * (megabytes - 1)


def pdf_stream_bomb() -> bytes:
    """A page whose text is a gigabyte of zeros, packed twice into a few kilobytes."""

    def change(document: pikepdf.Pdf) -> None:
        text = pikepdf.Stream(document, zlib.compress(packed_zeros(1000)))
        text.Filter = pikepdf.Array([Name.FlateDecode, Name.FlateDecode])
        document.pages[0].Contents = document.make_indirect(text)

    return made_pdf(change, compress_streams=False, recompress_flate=False)


def pdf_bomb() -> bytes:
    """A page whose picture says it has two and a half thousand million pixels."""

    def change(document: pikepdf.Pdf) -> None:
        packed = zlib.compress(bytes(MEGABYTE))
        image = pikepdf.Stream(document, packed)
        image.stream_dict = Dictionary(
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=50_000,
            Height=50_000,
            BitsPerComponent=8,
            ColorSpace=Name.DeviceRGB,
            Filter=Name.FlateDecode,
        )
        document.pages[0].Resources = Dictionary(XObject=Dictionary(Im=document.make_indirect(image)))
        document.pages[0].Contents = document.make_stream(b"q 600 0 0 800 0 0 cm /Im Do Q")

    return made_pdf(change, compress_streams=False, recompress_flate=False)


def pdf_with_eicar() -> bytes:
    """Sound in every way, and a scanner finds a virus in it."""
    return made_pdf(
        lambda document: document.Root.__setitem__("/Note", document.make_stream(EICAR)),
        compress_streams=False,
    )


KINDS = "no PDF, JPEG, PNG or HEIC"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "zero bytes": (lambda: b"", "empty"),
    "eicar": (lambda: EICAR, KINDS),
    "program": (lambda: b"MZ\x90\x00" + bytes(200), KINDS),
    "html named jpg": (lambda: HTML, KINDS),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", KINDS),
    "gif": (gif, KINDS),
    "animated gif": (lambda: gif(frames=3), KINDS),
    "zip bomb": (zip_bomb, KINDS),
    "animated png": (animated_png, "animation"),
    "huge png": (huge_png, "million pixels"),
    "huge jpeg": (huge_jpeg, "million pixels"),
    "png text bomb": (text_bomb, "damaged"),
    "cut jpeg": (lambda: jpeg()[:-40], "cut short"),
    "cut png": (lambda: png()[:-60], "cut short"),
    "cut heic": (lambda: heic()[:-60], "cut short"),
    "cut pdf": (lambda: pdf()[:-60], "cut short"),
    "jpeg in name only": (lambda: b"\xff\xd8\xff\xe0" + b"x" * 500 + b"\xff\xd9", "damaged"),
    "jpeg and zip": (lambda: jpeg() + small_zip(), "archive"),
    "png and zip": (lambda: png() + small_zip(), "archive"),
    "pdf and zip": (lambda: pdf() + small_zip(), "archive"),
    "pdf and html": (lambda: pdf() + HTML, "behind the end"),
    "html and pdf": (lambda: HTML + pdf(), "begin like one"),
    "pdf with password": (pdf_with_password, "locked with a password"),
    "pdf with owner password": (lambda: pdf_with_password(user=""), "locked with a password"),
    "pdf with script": (pdf_script, "script"),
    "pdf with hidden script": (pdf_hidden_script, "script"),
    "pdf that starts a program": (
        lambda: pdf_with_root("/OpenAction", Dictionary(S=Name.Launch, F="cmd.exe")),
        "by itself",
    ),
    "pdf that opens an address": (
        lambda: pdf_with_root("/OpenAction", Dictionary(S=Name.URI, URI="https://example.test/")),
        "by itself",
    ),
    "pdf with file": (pdf_with_file, "attached"),
    "pdf with xfa": (lambda: pdf_with_root("/AcroForm", Dictionary(XFA=pikepdf.String("x"))), "XFA"),
    "pdf without pages": (lambda: made_pdf(lambda document: document.pages.__delitem__(0)), "no page"),
    "pdf of 201 pages": (lambda: pdf_of_pages(201), "200 pages"),
    "pdf of too many pixels": (pdf_bomb, "too much to open"),
    "pdf bomb": (pdf_stream_bomb, "too much to open"),
}
TAKEN: dict[str, tuple[Callable[[], bytes], str, bool]] = {
    "jpeg named pdf": (jpeg, "image/jpeg", False),
    "photo with its place": (located_jpeg, "image/jpeg", False),
    "heic": (heic, "image/heic", True),
    "png": (png, "image/png", False),
    "png and html": (lambda: png() + HTML, "image/png", True),
    "jpeg and html": (lambda: jpeg() + HTML, "image/jpeg", True),
    "heavy metadata": (heavy_metadata, "image/jpeg", True),
    "pdf": (pdf, "application/pdf", False),
    "pdf that opens at a page": (pdf_opening_at_a_page, "application/pdf", False),
    "pdf of 12 pages": (lambda: pdf_of_pages(12), "application/pdf", False),
}
