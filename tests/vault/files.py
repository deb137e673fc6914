"""Small files of each kind, and the calls that every test of the vault makes."""

import json
import struct
from typing import Any

import httpx

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001000000ffff030000060005"
    "57bfabd40000000049454e44ae426082"
)
RIGHTS = {"license": "editorial", "territories": ["FR", "DE"], "ai_training": False}
SAMPLES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "image/gif": b"GIF89a\x01\0\x01\0",
    "image/webp": b"RIFF\x1a\0\0\0WEBPVP8L",
    "image/avif": b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf",
    "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "image/tiff": b"II*\0\x08\0\0\0",
    "image/svg+xml": b'<?xml version="1.0"?>\n<!-- a coat -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "image/vnd.adobe.photoshop": b"8BPS\0\x01\0\0\0\0\0\0",
    "application/pdf": b"%PDF-1.7\n",
    "application/postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "model/gltf-binary": b"glTF\x02\0\0\0" + struct.pack("<I", 12),
    "model/gltf+json": b'{"asset": {"version": "2.0"}}',
    "model/vnd.usdz+zip": b"PK\x03\x04" + bytes(22) + struct.pack("<HH", 9, 0) + b"coat.usdc",
    "model/vnd.usda": b"#usda 1.0\n",
    "model/vnd.usd": b"PXR-USDC\0\x08",
    "model/obj": b"# a coat\nmtllib coat.mtl\no coat\nv 0 0 1.5\n",
    "model/stl": bytes(80) + struct.pack("<I", 2) + bytes(100),
    "application/x-fbx": b"Kaydara FBX Binary  \0\x1a\0",
}


async def upload(
    http: httpx.AsyncClient, file: Any = PNG, *, title: str = "Twill", rights: Any = RIGHTS,
    name: str = "twill.png", declared: str = "image/png", headers: dict[str, str] | None = None, **fields: str,
) -> httpx.Response:  # fmt: skip
    """POST /v1/assets."""
    data = {"title": title, "rights": rights if isinstance(rights, str) else json.dumps(rights), **fields}
    return await http.post("/v1/assets", files={"file": (name, file, declared)}, data=data, headers=headers)
