"""The words of RTF that a reader needs to know, and the character sets of its fonts."""

from __future__ import annotations

import codecs

CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
CHARACTERS = {
    "line": "\n", "tab": "\t", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " ", "nestcell": " ",
    "nestrow": "\n", "~": " ", "_": "-", "{": "{", "}": "}", "\\": "\\",
}  # fmt: skip
HEADERS = ("header", "headerf", "headerl", "headerr")
FOOTERS = ("footer", "footerf", "footerl", "footerr")
NOTES = ("footnote", "annotation")
BACKGROUNDS = ("cb", "highlight", "chcbpat", "cbpat")  # of characters, and of a paragraph
# Groups that aren't text of the page. Those that begin with \* are left out unless they are named elsewhere here.
_NO_TEXT = """
stylesheet info pict objdata objclass objname objalias objsect fldinst datafield listtable listoverridetable
rsidtbl revtbl xe tc txe rxe bkmkstart bkmkend atnid atnauthor atndate atnref atnicn atntime atnparent atrfstart atrfend
pn sp shprslt nonesttables generator filetbl themedata datastore latentstyles private ftnsep ftnsepc ftncn aftnsep
aftnsepc aftncn falt panose fname
"""
LEFT_OUT = set(_NO_TEXT.split())
TEXT_GROUPS = {*HEADERS, *FOOTERS, *NOTES, "shpinst", "shptxt", "fldrslt", "result", "pntext", "listtext", "shp"}


def known_codec(name: str) -> str:
    """Return a codec's name, or the one of Western Europe for a name that Python doesn't know."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
