"""Outlook messages (MSG): compound files of properties, which no library writes."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR, _MINI_SECTOR, _CUTOFF = 512, 64, 4096
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_TEXT, _BINARY, _TIME = 0x001F, 0x0102, 0x0040
_SUBJECT, _BODY, _HTML, _SENDER, _ADDRESS = 0x0037, 0x1000, 0x1013, 0x0C1A, 0x0C1F
_TO, _SENT, _DATA, _FILE_NAME = 0x0E04, 0x0039, 0x3701, 0x3707
Folder = dict[str, "bytes | Folder"]


def outlook_message(
    subject: str,
    body: str = "",
    html: str = "",
    attachments: dict[str, bytes] | None = None,
    rich_text: bytes = b"",
    sent: datetime = datetime(2024, 5, 3, 10, tzinfo=UTC),
    to: str = "Ben",
) -> bytes:
    """Return a message from Ann; `attachments` are the files by name, and one without content is a message."""
    properties: dict[tuple[int, int], bytes] = {
        (_SUBJECT, _TEXT): subject.encode("utf-16-le"),
        (_SENDER, _TEXT): "Ann".encode("utf-16-le"),
        (_ADDRESS, _TEXT): "ann@port.example".encode("utf-16-le"),
        (_TO, _TEXT): to.encode("utf-16-le"),
        (_SENT, _TIME): struct.pack("<Q", round((sent - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10**7)),
        (0x3FDE, 0x0003): struct.pack("<Q", 65001),  # the code page of the HTML: UTF-8
    }
    if body:
        properties[_BODY, _TEXT] = body.encode("utf-16-le")
    if rich_text:
        properties[0x1009, _BINARY] = rich_text
    if html:
        properties[_HTML, _BINARY] = html.encode()
    root = _properties(properties, header=bytes(8) + struct.pack("<4I", 0, 0, 0, len(attachments or {})) + bytes(8))
    for number, (name, content) in enumerate((attachments or {}).items()):
        values = {(_FILE_NAME, _TEXT): name.encode("utf-16-le")} | ({(_DATA, _BINARY): content} if content else {})
        root[f"__attach_version1.0_#{number:08X}"] = _properties(values, header=bytes(8))
    return compound_file(root)


def _properties(values: dict[tuple[int, int], bytes], header: bytes) -> Folder:
    """Return the streams of an object's properties; those of a fixed length are in the table itself."""
    folder: Folder = {}
    table = header
    for (number, kind), value in values.items():
        is_fixed = kind not in (_TEXT, _BINARY)
        table += struct.pack("<HHI", kind, number, 6) + (value if is_fixed else struct.pack("<II", len(value), 0))
        if not is_fixed:
            folder[f"__substg1.0_{number:04X}{kind:04X}"] = value
    return folder | {"__properties_version1.0": table}


def compound_file(root: Folder) -> bytes:
    """Return a compound file (OLE) of version 3 with these folders and streams."""
    entries: list[tuple[str, int, bytes, list[int]]] = []
    _add_entry(entries, "Root Entry", root, _ROOT)
    sectors: list[bytes] = []
    chain: list[int] = []  # the next sector of each
    mini, mini_chain = b"", list[int]()
    places = []
    for _, kind, content, _ in entries:
        if kind != _STREAM or not content:
            places.append((_END, 0))
        elif len(content) < _CUTOFF:
            places.append((len(mini) // _MINI_SECTOR, len(content)))
            count = -(-len(content) // _MINI_SECTOR)
            mini_chain += [*range(len(mini_chain) + 1, len(mini_chain) + count), _END]
            mini += content.ljust(count * _MINI_SECTOR, b"\0")
        else:
            places.append((_add_sectors(sectors, chain, content), len(content)))
    places[0] = (_add_sectors(sectors, chain, mini) if mini else _END, len(mini))
    mini_table = struct.pack(f"<{len(mini_chain)}I", *mini_chain)
    mini_first = _add_sectors(sectors, chain, mini_table, b"\xff") if mini_chain else _END
    directory = b"".join(_entry(entries, number, *place) for number, place in enumerate(places))
    directory_first = _add_sectors(sectors, chain, directory)
    tables = -(-(len(chain) + 3) // (_SECTOR // 4 - 1))
    chain += [_FAT] * tables
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * _SECTOR, b"\xff")
    fat_sectors = range(len(sectors), len(sectors) + tables)
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, directory_first, 0, _CUTOFF),
        *(mini_first, -(-len(mini_table) // _SECTOR), _END, 0),
    )
    header += struct.pack("<109I", *fat_sectors, *[_FREE] * (109 - tables))
    return header + b"".join(sectors) + table


def _add_entry(entries: list[tuple[str, int, bytes, list[int]]], name: str, value: bytes | Folder, kind: int) -> int:
    number, children = len(entries), list[int]()
    entries.append((name, kind, value if isinstance(value, bytes) else b"", children))
    if isinstance(value, dict):
        for child in sorted(value, key=lambda child: (len(child), child.upper())):
            part = value[child]
            children.append(_add_entry(entries, child, part, _STREAM if isinstance(part, bytes) else _STORAGE))
    return number


def _entry(entries: list[tuple[str, int, bytes, list[int]]], number: int, first: int, size: int) -> bytes:
    """Return an entry of the directory; the entries of a folder are a tree that only has right branches."""
    name, kind, _, children = entries[number]
    siblings = next((others for *_, others in entries if number in others), [number])
    place = siblings.index(number)
    following = siblings[place + 1] if place + 1 < len(siblings) else _FREE
    encoded = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", _FREE, following, children[0] if children else _FREE)
    head = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
    return head + links + bytes(36) + struct.pack("<IQ", first, size)


def _add_sectors(sectors: list[bytes], chain: list[int], content: bytes, filler: bytes = b"\0") -> int:
    first, count = len(sectors), -(-len(content) // _SECTOR)
    padded = content.ljust(count * _SECTOR, filler)
    sectors += [padded[start : start + _SECTOR] for start in range(0, len(padded), _SECTOR)]
    chain += [*range(first + 1, first + count), _END]
    return first
