"""Which files the vault takes, told by their own bytes. What a client calls a file decides nothing.

Every signature is from the format's own description: PNG (ISO 15948), JPEG (ISO 10918), GIF89a, WebP (RIFF), TIFF 6.0,
HEIF and AVIF (ISO 14496-12 `ftyp`), PDF (ISO 32000), Photoshop and EPS (Adobe), glTF 2.0, OpenUSD, OBJ, STL, FBX.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from typing import IO, Final

HEAD = 4096  # how much of a file is looked at


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, the ending that a download gets, and how its first bytes tell."""

    content_type: str
    ending: str
    tells: Callable[[bytes], bool]


@dataclass(frozen=True)
class Facts:
    """What a file is, by its bytes. `sha256` in hex."""

    kind: Kind
    size: int
    sha256: str


class UnknownKind(ValueError):
    """No file that the vault takes starts like this."""


def _starts(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(starts)


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    """An ISO base media file of one of these brands, major or compatible."""

    def tells(head: bytes) -> bool:
        size = int.from_bytes(head[:4], "big")
        box = head[8:12] + head[16 : min(size, 256)]
        return head[4:8] == b"ftyp" and any(box[place : place + 4] in brands for place in range(0, len(box), 4))

    return tells


def _matches(pattern: bytes) -> Callable[[bytes], bool]:
    """Text, with or without a byte order mark, that begins so."""
    found = re.compile(rb"(?:\xef\xbb\xbf)?\s*" + pattern, re.DOTALL)
    return lambda head: b"\0" not in head and found.match(head) is not None


def _webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _usdz(head: bytes) -> bool:
    """A zip archive that begins with a USD layer, which is what makes it a USDZ package."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return head[:4] == b"PK\x03\x04" and name.lower().endswith((b".usd", b".usda", b".usdc"))


_OBJ = rb"(?:#[^\n]*\n\s*)*(?:mtllib [^\n]+|o [^\n]+|g [^\n]+|v(?:\s+-?\d[\d.eE+-]*){3})"
_STL = rb"solid\b[^\n]*\n\s*facet\s+normal"
_SVG = rb"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE\s+svg[^>\[]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]"

KINDS: Final = (
    Kind("image/png", ".png", _starts(b"\x89PNG\r\n\x1a\n")),
    Kind("image/jpeg", ".jpg", _starts(b"\xff\xd8\xff")),
    Kind("image/gif", ".gif", _starts(b"GIF87a", b"GIF89a")),
    Kind("image/webp", ".webp", _webp),
    Kind("image/avif", ".avif", _brand(b"avif", b"avis")),
    Kind("image/heic", ".heic", _brand(b"heic", b"heix", b"hevc", b"heim", b"heis")),
    Kind("image/tiff", ".tif", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Kind("image/svg+xml", ".svg", _matches(_SVG)),
    Kind("image/vnd.adobe.photoshop", ".psd", _starts(b"8BPS\0\x01", b"8BPS\0\x02")),
    Kind("application/pdf", ".pdf", _starts(b"%PDF-")),  # Illustrator's files are PDF as well
    Kind("application/postscript", ".eps", _starts(b"%!PS", b"\xc5\xd0\xd3\xc6")),
    Kind("model/gltf-binary", ".glb", _starts(b"glTF\x01\0\0\0", b"glTF\x02\0\0\0")),
    Kind("model/gltf+json", ".gltf", _matches(rb"\{.*\"asset\"\s*:\s*\{")),
    Kind("model/vnd.usdz+zip", ".usdz", _usdz),
    Kind("model/vnd.usda", ".usda", _starts(b"#usda 1.0")),
    Kind("model/vnd.usd", ".usdc", _starts(b"PXR-USDC")),
    Kind("model/obj", ".obj", _matches(_OBJ)),
    Kind("model/stl", ".stl", _matches(_STL)),
    Kind("application/x-fbx", ".fbx", _starts(b"Kaydara FBX Binary  \0")),
)
_ENDINGS: Final = {kind.content_type: kind.ending for kind in KINDS}
TAKEN: Final = ", ".join(kind.ending.lstrip(".").upper() for kind in KINDS) + " and binary STL"
_BINARY_STL: Final = Kind("model/stl", ".stl", lambda head: False)


def ending_of(content_type: str) -> str:
    """The file name ending of a kind that the vault has taken."""
    return _ENDINGS.get(content_type, "")


def examine(file: IO[bytes]) -> Facts:
    """What the file is, or UnknownKind. Reads it once, piece by piece; meant for a thread."""
    size = file.seek(0, 2)
    file.seek(0)
    kind = kind_of(file.read(HEAD), size)
    file.seek(0)
    return Facts(kind, size, file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]


def kind_of(head: bytes, size: int) -> Kind:
    """The kind of a file of this size that begins so, or UnknownKind."""
    found = next((kind for kind in KINDS if kind.tells(head)), None)
    if found is not None:
        return found
    # A binary STL is told by its arithmetic alone: 80 free bytes, a count of triangles, and 50 bytes for each.
    if len(head) >= 84 and size == 84 + 50 * int.from_bytes(head[80:84], "little") > 84:
        return _BINARY_STL
    raise UnknownKind
