"""Text of HTML that nobody sees: in the color of what is behind it, without size, outside of the page, or hidden."""

from __future__ import annotations

import pytest

SEEN = "<p>Seen.</p>"
BEFORE = "<style>{}</style>" + SEEN


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color: #FFFFFF">x</p>',
        '<p style="color:rgb(255, 254, 255)">x <b>y</b></p>',
        '<font color="white">x</font>',
        '<table bgcolor="#003366"><tr><td style="color:#036">x</td></tr></table>',
        '<div style="background:#c00"><span style="color:#cc0000">x</span></div>',
        '<p style="color:transparent">x</p>',
        '<p style="color:rgba(0, 0, 0, 0)">x</p>',
        '<p style="font-size:1px">x</p>',
        '<div style="font-size:0"><p style="font-size:120%">x</p></div>',
        '<p style="position:absolute;clip:rect(0,0,0,0)">x</p>',
        '<p style="height:0; overflow:hidden">x</p>',
        '<p style="clip-path: inset(100%)">x</p>',
        '<p style="opacity:0.0">x</p>',
        '<p style="filter: opacity(0%)">x</p>',
        '<p style="content-visibility: hidden">x</p>',
        '<p style="margin-left:-99999px">x</p>',
        '<p style="transform: scale(0)">x</p>',
        BEFORE.format(".w {color: white}") + "<p class=w>x</p>",
        BEFORE.format("body {background: #111; color: #eee} p.w {color: #111111}") + "<p class=w>x</p>",
        BEFORE.format(".w {height: 0; overflow: hidden}") + "<p class=w>x</p>",
        BEFORE.format("#a > span {visibility: hidden}") + "<p id=a><span>x</span></p>",
        BEFORE.format("@media screen {div .a.b {display: none}}") + "<div><p><i class='b a'>x</i></p></div>",
    ],
)
def test_text_that_nobody_sees_is_left_out_and_counted(read, page):
    document = read("a.html", SEEN + page)
    assert set(document.text.split()) == {"Seen."}
    assert [(note.kind, note.count) for note in document.notes] == [("hidden_text", 1)]


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color:#fff; background:#036">x</p>',
        '<div style="background-color: navy"><b style="color:white">x</b></div>',
        '<p style="color:#fff; background:url(photo.jpg)">x</p>',
        '<div style="position:relative"><img src=a><b style="position:absolute; color:#fff">x</b></div>',
        '<p style="color:transparent; background:linear-gradient(red, blue); -webkit-background-clip:text">x</p>',
        '<p style="color:#fff; text-shadow: 0 0 2px #000">x</p>',
        '<table bgcolor="#003366"><tr><td style="color:#fff">x</td></tr></table>',
        '<button style="color:white">x</button>',
        '<div style="font-size:0"><p style="font-size:14px">x</p></div>',
        '<p style="color:var(--text)">x</p>',
        '<link rel="stylesheet" href="a.css"><h1 style="color:#fff">x</h1>',
        BEFORE.format("body {background: #111; color: #fff}") + "<p>x</p>",
        BEFORE.format(".a {color: #fff} .a.b {color: #000}") + "<p class='a b'>x</p>",
        BEFORE.format("ul > .a {display: none} .c:hover {display: none}") + "<ul><li><b class=a>x</b></li></ul>",
    ],
)
def test_text_that_may_be_seen_stays(read, page):
    document = read("a.html", SEEN + page)
    assert "x" in document.text
    assert document.notes == ()


def test_white_text_stays_if_there_is_no_other(read):
    assert read("a.html", '<p style="color:#fff">The page gets its color elsewhere.</p>').text


def test_labels_of_a_drawing_are_read_and_menus_are_not(read):
    page = "<ul role=menubar><li>Home</ul><p>Dues</p><svg><title>icon</title><text>May</text><text>12</text></svg>"
    assert read("a.html", page).text.split() == ["Dues", "May", "12"]


def test_the_last_of_two_rules_of_equal_weight_counts(read):
    # Many pairs: the order of a set of names is another one in each process.
    rules = "".join(f".shown{n}{{display:none}} .hidden{n}{{display:block}}" for n in range(20))
    page = "".join(f'<p class="hidden{n} shown{n}">Text {n}.</p>' for n in range(20))
    document = read("a.html", f"<style>{rules}</style>{page}")
    assert not document.notes
    assert document.text.count("Text") == 20
