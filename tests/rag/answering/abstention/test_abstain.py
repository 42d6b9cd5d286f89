"""Tests of the decision whether documents answer a question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rag.answering.abstention.abstain import (
    AbstentionKind,
    is_about_whole_documents,
    measure_evidence,
    missing_evidence,
    word_coverage,
)
from rag.answering.retrieve import retrieve_passages
from rag.documents import Passage
from rag.library.library import Library
from rag.library.samples import SampleLibrary
from rag.search.embedding.embedders import Embedder
from tests.conftest import DATA, ROOT


def passage(text: str, dense: float | None) -> Passage:
    return Passage(1, "d", "notes.txt", None, "", 0, len(text), text, 1.0, dense, None)


def test_words_count_with_any_ending_and_in_any_passage() -> None:
    texts = ["The cranes lifted 40 tonnes.", "Dogs wait at the quay."]
    assert word_coverage("According to the text, is the crane lifting dogs or cats at the quays?", texts) == 4 / 5
    assert word_coverage("Opera?", texts) == 0
    assert word_coverage("", texts) == 0
    assert word_coverage("Crane?", []) == 0


def test_no_passages_are_no_evidence() -> None:
    assert measure_evidence("When is high water?", []).score == 0
    assert missing_evidence("When is high water?", [])
    abstention = missing_evidence("Summarise this report", [])
    assert abstention
    assert abstention.kind == AbstentionKind.NO_PASSAGES


def test_an_abstention_has_a_kind_and_its_evidence() -> None:
    passages = [passage("Low tide.", 0.3)]
    abstention = missing_evidence("Who wrote the opera?", passages)
    assert abstention
    assert abstention.kind == AbstentionKind.WEAK_EVIDENCE
    assert abstention.evidence == measure_evidence("Who wrote the opera?", passages)


def test_the_best_cosine_counts_and_a_missing_one_does_not() -> None:
    passages = [passage("Low tide.", None), passage("High water.", 0.8), passage("Sea.", 0.3)]
    evidence = measure_evidence("High water?", passages)
    assert (evidence.similarity, evidence.coverage) == (0.8, 1.0)
    assert measure_evidence("High water?", [passage("Low tide.", None)]).similarity == 0


def test_more_evidence_never_causes_an_abstention() -> None:
    question, text = "When is high water at the quay?", "High water at the quay."
    answered = [missing_evidence(question, [passage(text, dense / 20)]) is None for dense in range(-10, 21)]
    assert answered == sorted(answered)


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("Summarise this report.", True),
        ("What are the main points of the document?", True),
        ("What is this about?", True),
        ("Give me a short overview", True),
        ("What does the report say about terns?", False),
        ("Who is the president?", False),
    ],
)
def test_questions_about_whole_documents_are_detected(question: str, whole: bool) -> None:
    assert is_about_whole_documents(question) is whole


@pytest.mark.parametrize(
    "question",
    [
        "Fasse das Dokument kurz zusammen.",
        "Worum geht es in diesem Text?",
        "Peux-tu résumer ce document ?",
        "Haz un resumen del documento",
        "Кратко перескажи документ",
        "请总结这份文件",
        "这篇文章的主要内容是什么？",
        "この文書を要約してください",
        "이 문서를 요약해 주세요",
        "สรุปเอกสารนี้",
    ],
)
def test_questions_about_whole_documents_are_detected_in_other_languages(question: str) -> None:
    assert is_about_whole_documents(question)


def test_words_count_in_the_language_of_the_passages() -> None:
    assert word_coverage("Wie teuer sind die Fähren?", ["Die Fähre ist teuer."]) == 1
    assert word_coverage("渡轮什么时候出发？", ["渡轮早上八点出发。"]) == 1
    assert word_coverage("机场什么时候关门？", ["渡轮早上八点出发。"]) == 0


ISLANDS = {
    "chinese": (
        "海鸥岛气象站成立于一九五二年，由三名科学家管理。\n\n码头的停泊费为每晚十四元。\n\n灯塔高三十一米，每二十秒闪光一次。"
        "\n\n渡轮星期一至星期五早上八点十五分出发，周末停航。\n\n四月至八月禁止游客进入北岸。",
        ["停泊费每晚多少钱？", "灯塔有多高？", "渡轮什么时候出发？"],
        ["法国的首都是哪里？", "如何烤面包？", "谁赢得了世界杯冠军？"],
    ),
    "japanese": (
        "カモメ島の気象台は1952年に設立されました。\n\n停泊料は一晩1400円です。\n\n灯台の高さは31メートルです。"
        "\n\nフェリーは平日の午前8時15分に出発します。\n\n北岸への立ち入りは禁止されています。",
        ["停泊料はいくらですか", "灯台の高さは何メートルですか", "フェリーはいつ出発しますか"],
        ["フランスの首都はどこですか", "パンの焼き方を教えて", "ワールドカップの優勝国はどこですか"],
    ),
    "korean": (
        "갈매기섬 기상대는 1952년에 설립되었다.\n\n정박료는 하룻밤에 14000원이다.\n\n등대의 높이는 31미터이다."
        "\n\n여객선은 평일 오전 8시 15분에 출발한다.\n\n북쪽 해안은 출입이 금지된다.",
        ["정박료는 얼마입니까?", "등대의 높이는 얼마입니까?", "여객선은 언제 출발합니까?"],
        ["프랑스의 수도는 어디입니까?", "빵을 어떻게 굽습니까?", "월드컵에서 누가 우승했습니까?"],
    ),
    "thai": (
        "สถานีอุตุนิยมวิทยาก่อตั้งเมื่อปี 2495\n\nค่าจอดเรือคืนละ 400 บาท\n\nประภาคารสูง 31 เมตร"
        "\n\nเรือข้ามฟากออกเวลา 8 นาฬิกา\n\nห้ามนักท่องเที่ยวเข้าชายฝั่งด้านเหนือ",
        ["ค่าจอดเรือคืนละเท่าไหร่", "ประภาคารสูงกี่เมตร", "เรือข้ามฟากออกเมื่อไหร่"],
        ["เมืองหลวงของฝรั่งเศสคืออะไร", "อบขนมปังอย่างไร", "ใครชนะฟุตบอลโลก"],
    ),
    "russian": (
        "Метеостанция основана в 1952 году.\n\nСтоянка стоит 1400 рублей за ночь.\n\nВысота маяка 31 метр."
        "\n\nПаром отходит по будням в 8:15.\n\nВход на северный берег запрещён.",
        ["Сколько стоит стоянка?", "Какова высота маяка?", "Когда отходит паром?"],
        ["Какая столица Франции?", "Как испечь хлеб?", "Кто выиграл чемпионат мира?"],
    ),
    "german": (
        "Die Wetterstation wurde 1952 gegründet.\n\nEin Liegeplatz kostet 14 Euro je Nacht."
        "\n\nDer Leuchtturm ist 31 Meter hoch.\n\nDie Fähre fährt werktags um 8:15 Uhr."
        "\n\nDas Nordufer darf man nicht betreten.",
        ["Was kostet ein Liegeplatz?", "Wie hoch ist der Leuchtturm?", "Wann fährt die Fähre?"],
        ["Was ist die Hauptstadt von Frankreich?", "Wie backe ich Brot?", "Wer gewann die Weltmeisterschaft?"],
    ),
}


@pytest.mark.parametrize("language", ISLANDS)
def test_a_document_answers_its_own_questions_only_in_every_language(
    language: str, library: Library, embedder: Embedder, write_file: Callable[[str, str], Path]
) -> None:
    text, own_questions, other_questions = ISLANDS[language]
    library.add(write_file("island.txt", text))
    for question in own_questions + other_questions:
        passages = retrieve_passages([library], question, embedder, limit=5)
        assert (missing_evidence(question, passages) is None) is (question in own_questions), question


def test_the_shared_chinese_document_answers_its_own_questions_only(library: Library, embedder: Embedder) -> None:
    path = DATA / "cases/lang/chinese.md"
    if not path.is_file():
        pytest.skip("the shared cases aren't here")
    library.add(path)
    own_questions = {
        "气象站什么时候成立的？": "一九五二年",
        "饮用水来自哪里？": "雨水收集池",
        "哪里是燕鸥的繁殖区？": "北岸",
    }
    for question, answer in own_questions.items():
        passages = retrieve_passages([library], question, embedder, limit=5)
        assert missing_evidence(question, passages) is None, question
        assert answer in passages[0].text
    for question in ("法国的首都是哪里？", "怎么用Python写一个排序函数？", "乙醇的沸点是多少？"):
        assert missing_evidence(question, retrieve_passages([library], question, embedder, limit=5)), question


@pytest.fixture(scope="module")
def samples(embedder: Embedder) -> Library:
    return SampleLibrary(Path(ROOT, "spaces/chat_rag/corpus"), embedder)


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("How many visitors does the viewing deck hold?", True),
        ("What is the exclusion zone?", True),
        ("How did the number of Arctic terns change?", True),
        ("When does the ferry leave?", True),
        ("Are dogs allowed?", True),
        ("Can I bring my dog to the viewing deck?", True),
        ("What does a launch from Pad 2 cost?", True),
        ("What documents are there?", True),
        ("What is the capital of France?", False),
        ("How do I bake sourdough bread?", False),
        ("Who won the world cup in 2014?", False),
        ("What is the boiling point of ethanol?", False),
        ("Write a Python function that sorts a list of numbers", False),
    ],
)
def test_the_samples_answer_their_own_questions_only(
    samples: Library, embedder: Embedder, question: str, answered: bool
) -> None:
    passages = retrieve_passages([samples], question, embedder, limit=5)
    assert (missing_evidence(question, passages) is None) is answered
