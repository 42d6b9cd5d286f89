"""Lists of terms in HTML, white space beside marked words, and the links around a page of a manual."""

from __future__ import annotations

import pytest

from tests.security.linear_time import assert_linear

_LOCKS = """<dl>
<dt><code>SHARED</code> (<code>SharedLock</code>) <a href="#s">#</a></dt>
<dd><p>Conflicts with an <code>EXCLUSIVE</code> lock.</p><p>Acquired by a clerk who reads the harbour's book.</p>
<pre>open book</pre></dd>
<dt>EXCLUSIVE</dt><dt>ALONE</dt>
<dd><div>Conflicts with every lock.</div><div>Acquired by the keeper who writes.</div></dd>
<dt>NONE</dt><dd>Conflicts with nothing.</dd>
<dt>FREE</dt><dd><ul><li>no fee</li><li>no key</li></ul></dd>
</dl>"""


def test_each_paragraph_of_a_description_names_its_term(read):
    text = read("a.html", f"<h1>Locks</h1>{_LOCKS}").text
    lines = [line for line in text.splitlines() if line]
    assert "SHARED (SharedLock): Conflicts with an `EXCLUSIVE` lock." in lines
    assert "SHARED (SharedLock): Acquired by a clerk who reads the harbour's book." in lines
    assert "EXCLUSIVE, ALONE: Conflicts with every lock." in lines
    assert "EXCLUSIVE, ALONE: Acquired by the keeper who writes." in lines
    assert "NONE: Conflicts with nothing." in lines
    assert lines[lines.index("FREE:") + 1 :] == ["* no fee", "* no key"]
    assert text.count("SharedLock") == 2  # the term isn't above its description too


def test_a_term_in_a_group_and_one_that_is_a_question_keep_their_descriptions(read):
    question = "Who may open the gate of the inner harbour at night when the keeper is away and no boat is expected?"
    page = f"<dl><div><dt>Gate:</dt><dd>It is blue.</dd></div><dt>{question}</dt><dd>The mayor.</dd><dt>Alone</dt></dl>"
    text = read("a.html", page).text
    assert "Gate: It is blue." in text
    assert text.index(question) < text.index("The mayor.") < text.index("Alone")
    assert text.count(question) == 1


def test_a_table_of_contents_of_terms_alone_stays(read):
    text = read("a.html", "<dl><dt>1. Piers</dt><dt>2. Lamps</dt></dl><p>The fee is 14.</p>").text
    assert text.split() == ["1.", "Piers", "2.", "Lamps", "The", "fee", "is", "14."]


@pytest.mark.parametrize("space", [" ", "\u00a0", "\n", "\u00a0\n "])
def test_white_space_inside_of_marked_words_stays(read, space):
    page = f"<p><strong>Release date:{space}</strong>2022 by<b>{space}Ann <i>Lund{space}</i></b>of Skarv.</p>"
    assert read("a.html", page).text == "**Release date:** 2022 by **Ann *Lund*** of Skarv."


@pytest.mark.parametrize("name", ["navheader", "docnav top", "prevnext"])
def test_the_links_around_a_page_of_a_manual_arent_read(read, name):
    links = f'<div class="{name}"><table><tr><th>Piers</th><td><a href="b.html">Next</a></td></tr></table></div>'
    assert read("a.html", f"{links}<p>The fee is 14 crowns.</p>{links}").text == "The fee is 14 crowns."
    assert "Next" in read("b.html", links).text  # a page of nothing else


def test_thousands_of_terms_and_paragraphs_take_linear_time(read):
    def work(size: int) -> None:
        many = "<dt>a term</dt>" + "<dd>" + "<p>what the keeper says</p>" * (size // 80)
        read("a.html", f"<dl>{many}</dd>{'<dt>x</dt>' * (size // 40)}{'<dd>y</dd>' * (size // 40)}</dl>")

    assert_linear(work, "characters", in_between=True)
