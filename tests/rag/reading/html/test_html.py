"""HTML files: text only, encodings, and pages that are nested too deeply."""

from __future__ import annotations

import pytest

from rag.commands.read import document_json


def test_html_has_only_its_text(read):
    page = """<!doctype html><html><head><title>T</title><style>p {color: red}</style></head><body>
    <h1>Heading</h1><!-- a comment --><script>alert(1)</script><p onclick="x()">First_token *text* <b>bold</b></p>
    <noscript>enable it</noscript><img src="http://127.0.0.1:9/pixel.png" alt="a chart"><iframe src="x"></iframe>
    <a href="javascript:alert(1)">press</a><ul><li>one<li>two</ul><svg><title>never</title><text>drawn</text></svg>
    <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></body></html>"""
    text = read("a.html", page).text
    for part in ("# Heading", "First_token *text* **bold**", "a chart", "press", "* one\n* two", "drawn", "| 1 | 2 |"):
        assert part in text
    for part in ("comment", "alert", "color", "enable", "pixel", "never", "onclick"):
        assert part not in text


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ('<META HTTP-EQUIV="content-type" CONTENT="text/html; charset=koi8-r">', "koi8-r"),
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8"),
        ('<meta charset="no-such-set">', "utf-8"),
        ('<meta charset="unicode_escape">', "utf-8"),
        ('<meta charset="utf-8">', "utf-16"),
        ("", "utf-8"),
    ],
)
def test_html_encoding_comes_from_its_declaration(read, declaration, encoding):
    page = f"{declaration}<html><body><p>Да \\u0041</p></body></html>"
    assert read("a.htm", page.encode(encoding)).text == "Да \\u0041"


def test_html_latin1_is_decoded_as_in_browsers(read):
    assert read("a.html", '<meta charset="iso-8859-1"><p>“5 €”</p>'.encode("cp1252")).text == "“5 €”"


@pytest.mark.parametrize("tag", ["p", "li", "td", "option"])
def test_html_with_thousands_of_unclosed_tags(read, tag):
    text = read("a.html", "<table><tr>" * (tag == "td") + "".join(f"<{tag}>cell {n}\n" for n in range(2000))).text
    assert "cell 0" in text
    assert "cell 1999" in text


@pytest.mark.parametrize("tag", ["div", "b", "table><tr><td"])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_html_nested_too_deeply(refusal, tag, depth):
    assert "nested too deeply" in refusal("a.html", f"<{tag}>" * depth + "deep").message


@pytest.mark.parametrize(
    "page", ["<!-- only a comment -->", "<script>x()</script>", "<html></html>", "<!doctype html>"]
)
def test_html_without_text(refusal, page):
    assert refusal("a.html", page)


def test_html_tables_keep_their_columns(read):
    page = """<table><caption>Dues</caption><thead><tr><th rowspan=2>Port<th colspan=2>Fee<tr><th>Summer<th>Winter
    <tbody><tr><td rowspan=2>Skarv<td>14<td>9<tr><td>15<td>a | b</table>after"""
    document = read("a.html", page)
    assert document.text == (
        "Dues\n\n| Port | Fee | Fee |\n| --- | --- | --- |\n| Port | Summer | Winter |\n| Skarv | 14 | 9 |\n"
        "| Skarv | 15 | a \\| b |\n\nafter"
    )
    (table,) = document.tables
    assert table.caption == "Dues"
    assert [cell.header for cell in table.cells] == [True] * 4 + [False] * 5
    assert document.text[table.start : table.end].startswith("| Port")
    (rows,) = [table["rows"] for table in document_json(document)["tables"]]
    assert rows[1:] == [["Port", "Summer", "Winter"], ["Skarv", "14", "9"], ["Skarv", "15", "a | b"]]


def test_html_without_what_is_hidden(read):
    page = """<nav>Home</nav><div class="cookie-banner">We use cookies.</div><p>The fee is 14.</p>
    <p style="display: none">a</p><p hidden>b</p><p style="font-size:0">c</p><p style="VISIBILITY:hidden">d</p> end"""
    document = read("a.html", page)
    assert document.text.split() == ["The", "fee", "is", "14.", "end"]
    assert [(note.kind, note.count) for note in document.notes] == [("hidden_text", 4)]


def test_html_form_values(read):
    page = """<p>Boat <input value="Tern"> Berth <select><option>South<option selected>North</select>
    <textarea>at dawn</textarea> <input type=checkbox checked> Insured <input type=hidden value=x></p>"""
    assert read("a.html", page).text.split() == ["Boat", "Tern", "Berth", "North", "at", "dawn", "[x]", "Insured"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<body><div></div><noscript><p>The fee is 14.</p></noscript>", "The fee is 14."),
        ("<frameset><frame src=a><noframes><body><p>The fee is 14.</p></body></noframes></frameset>", "The fee is 14."),
        ("<html><head><title>The fee is 14.</title></head><body></body></html>", "The fee is 14."),
        ("<x-a><template shadowrootmode=open><p>The fee is 14.</p></template></x-a>", "The fee is 14."),
        ("<nav>Only a menu</nav>", "Only a menu"),
        ("<script>show()</script><object data=a.swf><p>The fee is 14.</p></object>", "The fee is 14."),
        ("<title>The fee is 14.</title><canvas></canvas><video src=a></video>", "The fee is 14."),
        (
            "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related;\n\tboundary=b\n\n--b\n"
            "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>f=C3=A9e 1=\n4</p>\n--b--\n",
            "fée 14",
        ),
    ],
)
def test_html_shows_what_a_simple_browser_does(read, page, text):
    assert read("a.html", page).text == text


@pytest.mark.parametrize("frame", ["src=a.html><!-- -->", "srcdoc='<!-- -->'>", "src=a.html><?x?>"])
def test_html_of_a_frame_without_content_is_read_by_its_title(read, frame):
    assert read("a.html", f"<title>Map</title><body><iframe {frame}</iframe>").text == "Map"


def test_html_shows_its_title_and_description_before_a_remark_about_the_browser(read):
    page = "<title>Map</title><meta name=description content='All piers.'><canvas>Your browser is old.</canvas>"
    assert read("a.html", page).text.split("\n\n") == ["Map", "All piers.", "Your browser is old."]


def test_html_of_a_frame_with_a_declaration_and_words_before_its_first_element(read):
    page = "<iframe srcdoc='<?xml version=&quot;1.0&quot; encoding=&quot;utf-8&quot;?><p>inner'></iframe>"
    assert read("a.html", page).text == "inner"
    assert read("a.html", "<iframe src=a>The fee <b>is 14.</b></iframe>").text == "The fee **is 14.**"


def test_html_that_only_shows_other_pages(refusal):
    error = refusal("a.html", "<frameset cols='*,*'><frame src=a.html><frame src=b.html></frameset>")
    assert "in frames" in error.message


def test_html_without_what_its_style_sheet_hides(read):
    page = """<style>/* } */ .a, p#b {display:none} @media print {.c {display:none}} .d:hover {display:none}</style>
    <p class="x a">1</p><p id=b>2</p><p class=c>3</p><p class=d>4</p><div id=b>5</div><p style="opacity:0">6</p>
    <p style="position:absolute;left:-9999px">7</p>"""
    document = read("a.html", page)
    assert document.text.split() == ["3", "4", "5"]
    assert [(note.kind, note.count) for note in document.notes] == [("hidden_text", 4)]
    assert read("b.html", "<style>body {opacity: 0} .a {opacity: 0}</style><p class=a>Shown by a script</p>").text


def test_html_of_frames_inside_the_page(read):
    page = "<p>one</p><iframe srcdoc='<p>two <iframe srcdoc=&quot;three&quot;></iframe></p>'></iframe><p>four</p>"
    assert read("a.html", page).text.split() == ["one", "two", "three", "four"]


def test_html_has_raised_numbers_apart_from_figures_and_no_links_inside_the_page(read):
    page = """<p>4,210<sup><a href="#fn3">3</a></sup> 10<sup>6</sup> m<sup>-2</sup> 1<sup>st</sup> <a href="/x">here</a>
    <a href="https://example.org/a">there</a>"""
    assert read("a.html", page).text.split() == [
        *("4,210[3]", "10^6", "m^-2", "1st", "here"),
        "[there](https://example.org/a)",
    ]


def test_a_saved_page_has_its_frames_in_their_places(read):
    def part(content: str, name: str = "") -> str:
        head = f"Content-ID: <{name}>\n" if name else ""
        return f"--x\nContent-Type: text/html; charset=utf-8\n{head}\n{content}\n"

    page = (
        "<p>Before <iframe src='cid:one@x'></iframe> after <iframe src='cid:one@x'></iframe><iframe src='cid:gone@x'>"
    )
    saved = "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n" + part(page)
    saved += part('<p>The "fee" &amp; more <iframe src="cid:two@x"></iframe>', "one@x") + part("<p>is 14 €.", "two@x")
    text = read("a.mhtml", f"{saved}--x--\n".encode()).text
    assert [word for word in text.split() if word.isalnum()] == ["Before", "The", "more", "is", "14", "after"]
    assert '"fee" & more' in text


@pytest.mark.parametrize("name", ["a.html", "a.mht"])
def test_html_of_a_saved_page_has_the_character_set_of_its_transport(read, name):
    kind = b"Content-Type: text/html;\r\n\tcharset=windows-1251\r\n"
    head = b"From: <Saved>\r\n" + kind + b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    assert read(name, head + "<p>Да</p>".encode("cp1251")).text == "Да"


def test_html_blocks_and_tables_that_arrange_the_page_are_apart(read):
    page = """<header>Site</header><aside>Offer</aside><details><summary>More</summary>inside</details>
    <dialog>x</dialog><table><tr><td><table><tr><td><table><tr><th>a<th>b<tr><td>1<td>2</table></table><td>right</table>"""
    document = read("a.html", page)
    assert document.text.split("\n\n") == [
        *("Site", "Offer", "More", "inside", "| a | b |\n| --- | --- |\n| 1 | 2 |", "right")
    ]


def test_html_lists_keep_their_letters_and_their_own_numbers(read):
    lists = "<ol start=5><li>five<li value=9>nine<li>ten</ol><ol type=a><li>aa<li>bb</ol><ol type=I start=4><li>x</ol>"
    assert " ".join(read("a.html", lists).text.split()) == "5. five 9. nine 10. ten a. aa b. bb IV. x"


def test_a_line_end_of_the_source_is_a_space(read):
    source = "<p>The default\nis the ISO\nformat.</p><ul><li>Add a role\n(Ada\nLund)</li></ul><pre>one\n  two</pre>"
    text = read("page.html", f"<html><body>{source}</body></html>").text
    assert "The default is the ISO format." in text
    assert "Add a role (Ada Lund)" in text
    assert "one\n  two" in text


def test_the_text_of_a_picture_is_apart_from_the_words_beside_it(read):
    page = '<p>Port<img alt="of Skarv" src="a.png">opens (<img alt="!" src="b.png">) at 7.</p><p><img alt="x"></p>'
    assert read("a.html", page).text == "Port of Skarv opens (!) at 7.\n\nx"
    picture = '<img alt="x" src="a.png">'
    page = f"<p><b>word</b>{picture}</p><p>{picture}{picture}</p><p>{picture}<b>word</b></p><div>word</div>{picture}"
    assert read("a.html", page).text == "**word** x\n\nx x\n\nx **word**\n\nword\n\nx"
    page = f"<p><b>one <i>word</i></b>{picture}<br>{picture}</p>"
    assert read("a.html", page).text.split() == ["**one", "*word***", "x", "x"]


def test_code_and_headings_in_cells_do_not_dissolve_a_table_with_names(read):
    document = read(
        "a.html",
        "<table><tr><th>Name</th><th>Code</th></tr><tr><td>add</td><td><pre>x = 1\ny = 2</pre></td></tr>"
        "<tr><td>sub</td><td><h4>Two ways</h4>x - y</td></tr></table>",
    )
    assert document.text.splitlines()[2:] == ["| add | x = 1 y = 2 |", "| sub | Two ways x - y |"]
    assert len(document.tables) == 1


def test_code_beside_the_numbers_of_its_lines_stays_code(read):
    text = read("a.html", "<table><tr><td><pre>1\n2</pre></td><td><pre>x = 1\ny = 2</pre></td></tr></table>").text
    assert "x = 1\ny = 2" in text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<mfrac><mi>a</mi><mn>2</mn></mfrac><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup>", "\\frac{a}{2}=x^{2}"),
        ("<semantics><mi>x</mi><annotation encoding='application/x-tex'>\\bar x</annotation></semantics>", "\\bar x"),
        ("<msqrt><mi>y</mi><mo>+</mo><mn>1</mn></msqrt><msub><mi>v</mi></msub>", "\\sqrt{y+1}v"),
    ],
)
def test_formulas_are_latex(read, formula, text):
    assert read("a.html", f"<p>So <math>{formula}</math>.</p>").text == f"So ${text}$."


def test_text_of_a_table_outside_of_its_cells_is_above_it(read):
    page = "<table>Fees of <p>2024</p><tr><th>Port<th>Fee</tr><tr>in crowns<td>Skarv<td>14</table>"
    text, table = read("a.html", page).text.split("\n\n")
    assert text == "Fees of 2024 in crowns"
    assert table.splitlines()[0] == "| Port | Fee |"


def test_readings_of_letters_and_what_no_browser_shows_are_left_out(read):
    page = (
        "<p><ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</rt></ruby></p>"
        "<p>Paid <progress value=3>30</progress><button>Summer</button><button>Winter</button></p>"
    )
    first, second = read("a.html", page).text.split("\n\n")
    assert first == "東京"
    assert second.split() == ["Paid", "Summer", "Winter"]
