"""Which detector names the encoding of a short text? Twelve languages, texts of 40, 400 and 4,000 characters.

    python benchmarks/reading/encoding_detection.py [--only mac_roman]

The texts are translations that Linux systems install (/usr/share/locale: coreutils, git, bash, dpkg), and English with
typographic marks. A text counts as right if every character is. Detectors that aren't installed are left out. `--only`
measures another encoding, with the texts of the four Western languages.
"""

from __future__ import annotations

import argparse
import gettext
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write

from rag.reading.formats.text.encodings import guess_encoding

CATALOGS = ("coreutils.mo", "git.mo", "bash.mo", "dpkg.mo", "gnupg2.mo", "findutils.mo")
SIZES = (40, 400, 4000)
LANGUAGES = {
    "en": ("cp1252",),
    "de": ("cp1252", "cp850"),
    "fr": ("cp1252", "cp850"),
    "es": ("cp1252", "cp850"),
    "pl": ("cp1250", "iso8859-2"),
    "cs": ("cp1250", "iso8859-2"),
    "ru": ("cp1251", "koi8-r", "cp866"),
    "el": ("cp1253",),
    "tr": ("cp1254",),
    "ja": ("cp932", "euc_jp"),
    "zh_CN": ("gb18030",),
    "ko": ("cp949",),
}
WESTERN = ("en", "de", "fr", "es")
Detector = Callable[[bytes], str | None]


def main() -> None:
    """Print the share of texts that each detector decodes right, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locale", type=Path, default=Path("/usr/share/locale"))
    parser.add_argument("--texts", type=int, default=30, help="texts of each size, language and encoding")
    parser.add_argument("--only", metavar="ENCODING", help="an encoding of Western languages")
    arguments = parser.parse_args()
    languages = dict.fromkeys(WESTERN, (arguments.only,)) if arguments.only else LANGUAGES
    detectors = dict(_detectors())
    right: dict[tuple[str, int], int] = defaultdict(int)
    counts: dict[int, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for encoding, size, text in _texts(arguments.locale, arguments.texts, languages):
        data = text.encode(encoding)
        counts[size] += 1
        for name, detect in detectors.items():
            start = time.process_time()
            detected = detect(data)
            seconds[name] += time.process_time() - start
            right[name, size] += _decodes(data, detected, text)
    total = sum(counts.values())
    rows = [
        [name, *(f"{right[name, size] / counts[size]:.1%}" for size in SIZES), f"{1000 * seconds[name] / total:.1f}"]
        for name in detectors
    ]
    print(table(["detector", *(f"{size:,} characters" for size in SIZES), "ms a text"], rows))
    write("encodings", {"texts": dict(counts), "right": {f"{name} {size}": n for (name, size), n in right.items()}})


def _texts(locale: Path, texts: int, languages: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int, str]]:
    for language, encodings in languages.items():
        messages = _messages(locale, language)
        for encoding in encodings:
            for size in SIZES:
                generator = random.Random(f"{language} {encoding} {size}")
                count = 0
                for _ in range(texts * 100):
                    generator.shuffle(messages)
                    text = "\n".join(messages[: max(2, size // 10)])
                    text = text.encode(encoding, "ignore").decode(encoding)[:size]
                    if len(text) == size and not text.isascii():
                        yield encoding, size, text
                        count += 1
                    if count == texts:
                        break


def _messages(locale: Path, language: str) -> list[str]:
    """Return the messages with characters beyond ASCII; the English ones are those that German translates."""
    messages: set[str] = set()
    for name in CATALOGS:
        path = locale / (language if language != "en" else "de") / "LC_MESSAGES" / name
        if path.exists():
            with path.open("rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            if language == "en":
                messages |= {_typographic(key) for key in catalog if isinstance(key, str)}
            else:
                messages |= {text for key, text in catalog.items() if key and "Project-Id" not in text}
    return sorted(message for message in messages if not message.isascii())


def _typographic(text: str) -> str:
    text = re.sub(r"(\w)'(\w)", r"\1’\2", text)
    text = re.sub(r'"([^"\n]+)"', r"“\1”", re.sub(r"[`']([^'\n]+)'", r"‘\1’", text))
    return text.replace(" -- ", " — ").replace("(C)", "©").replace("...", "…")


def _detectors() -> Iterator[tuple[str, Detector]]:
    yield "ours", lambda data: getattr(guess_encoding(data), "encoding", None)
    try:
        import chardet

        yield "chardet", lambda data: chardet.detect(data, prefer_superset=True)["encoding"]
    except ImportError:
        pass
    try:
        import cchardet

        yield "faust-cchardet", lambda data: cchardet.detect(data)["encoding"]
    except ImportError:
        pass
    try:
        from charset_normalizer import from_bytes

        yield "charset-normalizer", lambda data: getattr(from_bytes(data).best(), "encoding", None)
    except ImportError:
        pass


def _decodes(data: bytes, encoding: str | None, text: str) -> bool:
    try:
        return data.decode(encoding or "") == text
    except (LookupError, UnicodeError):
        return False


if __name__ == "__main__":
    main()
