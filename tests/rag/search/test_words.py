"""Words in several languages: which language a text is in, its function words, its stems, and pairs of characters."""

from __future__ import annotations

import pytest

from rag.search.bm25 import BM25Index
from rag.search.languages import detect_language, language_of_sentences
from rag.search.words import content_words, keywords, split_tokens, stems
from tests.security.linear_time import assert_linear

SENTENCES = {
    "english": "The harbour office opens at nine and closes when the last ferry has left.",
    "german": "Das Hafenbüro öffnet um neun Uhr und schließt, wenn die letzte Fähre abgefahren ist.",
    "french": "Le bureau du port ouvre à neuf heures et ferme quand le dernier ferry est parti.",
    "spanish": "La oficina del puerto abre a las nueve y cierra cuando ha salido el último ferry.",
    "italian": "L'ufficio del porto apre alle nove e chiude quando è partito l'ultimo traghetto.",
    "portuguese": "O escritório do porto abre às nove e não fecha antes de sair a última balsa.",
    "dutch": "Het havenkantoor gaat om negen uur open en sluit wanneer de laatste veerboot vertrokken is.",
    "swedish": "Hamnkontoret öppnar klockan nio och stänger när den sista färjan har gått.",
    "polish": "Biuro portu jest otwarte od dziewiątej i zamyka się, gdy odpłynie ostatni prom.",
    "turkish": "Liman ofisi saat dokuzda açılır ve son feribot için beklemez.",
    "russian": "Контора порта открывается в девять и закрывается, когда уходит последний паром.",
    "greek": "Το γραφείο του λιμανιού ανοίγει στις εννέα και κλείνει όταν φύγει το τελευταίο πλοίο.",
    "arabic": "يفتح مكتب الميناء في الساعة التاسعة ويغلق بعد مغادرة آخر عبارة.",
    "hindi": "बंदरगाह का कार्यालय नौ बजे खुलता है और आखिरी नाव के जाने पर बंद होता है।",
    "chinese": "港务局早上九点开门，最后一班渡轮离开后关门。",
    "japanese": "港の事務所は九時に開き、最後のフェリーが出ると閉まります。",
    "korean": "항구 사무소는 아홉 시에 열고 마지막 배가 떠나면 닫습니다.",
    "thai": "สำนักงานท่าเรือเปิดเวลาเก้าโมงและปิดเมื่อเรือเที่ยวสุดท้ายออกไปแล้ว",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert detect_language(SENTENCES[language]) == language


def test_what_tells_nothing_is_english() -> None:
    assert detect_language("") == detect_language("4711 – €") == detect_language("Puffin") == "english"


def test_a_table_without_sentences_tells_no_language() -> None:
    table = "\n".join(f"Puffin {row},NA,Larus argentatus,herring gull,coast,summer" for row in range(40))
    assert [language_of_sentences(text) for text in (table, "Крачки " * 40, f"{SENTENCES['german']}\n" * 3)] == [
        "",
        "russian",
        "german",
    ]


def test_the_script_tells_the_language_of_a_single_word() -> None:
    assert [detect_language(word) for word in ("Крачки", "λιμάνι", "ميناء")] == ["russian", "greek", "arabic"]


def test_single_letters_do_not_outweigh_words() -> None:
    assert detect_language("Passengers y.o.y. of the y.o.y. report, and y.o.y. to o.e.") == "english"


def test_quotations_do_not_change_the_language_of_a_document() -> None:
    quotation = "In Tokyo heißt der Hafen 東京港 (とうきょうこう). "
    assert detect_language(f"{SENTENCES['german']} {quotation}" * 20) == "german"
    assert (
        detect_language(
            "港务局使用 Windows Server 和 PostgreSQL，地址在东京（とうきょう）。" + SENTENCES["chinese"] * 9
        )
        == "chinese"
    )


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What is the code of Room 5?", ["code", "room", "5"]),
        ("Wann fährt die letzte Fähre?", ["fährt", "letzte", "fähre"]),
        ("À quelle heure part le dernier ferry ?", ["heure", "part", "dernier", "ferry"]),
        ("Когда отходит последний паром?", ["отходит", "последний", "паром"]),
        ("渡轮什么时候出发？", ["渡轮", "出发"]),
        ("灯塔有多高？", ["灯塔"]),
        ("最後の船はどこですか", ["最後", "船"]),
        ("등대는 어디에 있습니까?", ["등대"]),
        ("ท่าเรืออยู่ที่ไหน", ["ท่าเรือ"]),
        ("Who are you?", ["who", "are", "you"]),
        ("是什么？", ["是什么"]),
    ],
)
def test_the_keywords_of_a_question(question: str, words: list[str]) -> None:
    assert keywords(question) == words


def test_words_that_a_caller_ignores_are_left_out_too() -> None:
    assert content_words("请总结这份文件", ignored=frozenset({"总结", "份", "文件"})) == []
    assert content_words("문서의 요약", "korean", ignored=frozenset({"문서", "요약"})) == []


def test_words_are_stemmed_as_words_of_their_language() -> None:
    assert stems(["Fähren", "Fähre"], "german") == ["fahr"]
    assert stems(["organizaciones", "organización"], "spanish") == ["organiz"]
    assert stems(["паромы", "парома"], "russian") == ["паром"]
    assert stems(["launches", "first_token", "Café"]) == ["launch", "first", "token", "cafe"]


def test_scripts_without_spaces_are_split_into_pairs() -> None:
    assert split_tokens(["海鸟在悬崖"]) == ["海鸟", "鸟在", "在悬", "悬崖"]
    assert split_tokens(["船 フェリー"]) == ["船", "フェ", "ェリ", "リー"]
    assert split_tokens(["第3回Windows"]) == ["第", "3", "回", "windows"]
    assert split_tokens(["ท่าเรือ"]) == ["ท่าเรื", "เรือ"]  # vowels and tones stay with their consonants


def test_vowels_between_the_letters_of_an_indian_script_do_not_split_a_word() -> None:
    assert split_tokens(["हिन्दी भाषा।", "தமிழ்"]) == ["हिन्दी", "भाषा", "தமிழ்"]


def test_vowels_that_writers_leave_out_do_not_matter() -> None:
    assert stems(["مَكْتَب"], "arabic") == stems(["مكتب"], "arabic")


def test_wide_letters_and_digits_are_those_of_other_texts() -> None:
    assert split_tokens(["ＡＢＣ１２３ｶﾞｽ"]) == ["abc123", "ガス"]


def test_a_text_in_ascii_has_the_words_that_it_has_beside_other_letters() -> None:
    every = "".join(map(chr, range(128)))
    for text in (every, "snake_case-9's 1,000.5 FOO_ _x __ a\tb", ""):
        assert split_tokens([text]) == split_tokens([f"{text} \u00fc"])[:-1]


def test_a_question_finds_words_of_each_document_as_its_language_has_them() -> None:
    index = BM25Index()
    index.add("german", ["Die Fähren fahren um neun von der Mole ab.", "Das Büro ist am Montag geschlossen."])
    index.add("chinese", ["码头的停泊费为每晚十四元。", "渡轮早上八点出发。"])
    assert index.scores("Wann fährt die Fähre?")["german"].argmax() == 0
    assert index.scores("渡轮几点出发？")["chinese"].argmax() == 1
    assert index.scores("渡轮几点出发？")["chinese"][0] == 0
    assert index.scores("机场在哪里？")["chinese"].sum() == 0


@pytest.mark.parametrize("unit", ["的海", "나는", "ท่", "é"])
def test_long_texts_are_split_in_linear_time(unit: str) -> None:
    def work(size: int) -> None:
        text = unit * (size // len(unit))
        content_words(text)
        stems([text], detect_language(text))

    assert_linear(work, unit)
