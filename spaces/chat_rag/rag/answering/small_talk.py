"""Small talk: a greeting, thanks, a farewell or "what can you do?" gets a short reply, and no document is searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# How many documents a reply names, and the most words of a message that can be small talk.
NAMED_DOCUMENTS, MAX_CHARACTERS = 3, 80
_PATTERNS = {
    "en": {
        "greeting": r"hi|hello|hey|hi there|hello there|hey there|good (?:morning|afternoon|evening|day)|how are you"
        r"|how's it going|nice to meet you",
        "thanks": r"thanks|thank you|thx|cheers|(?:thanks|thank you) (?:so much|very much|a lot)|many thanks|great|perfect"
        r"|ok|okay|got it|cool|nice|great job|well done",
        "farewell": r"bye|goodbye|bye bye|see you|see you later|have a (?:nice|good) day",
        "ability": r"what can you do|what can i ask(?: you)?|what do you do|who are you|what are you|help|help me"
        r"|how does this work|how do you work|what is this|can you help(?: me)?|what can you help(?: me)? with",
    },
    "de": {
        "greeting": r"hallo|guten (?:morgen|tag|abend)|moin|servus|grüß gott|wie geht(?:'s| es dir| es ihnen)?",
        "thanks": r"danke|vielen dank|danke schön|danke sehr|dankeschön|herzlichen dank|super|alles klar",
        "farewell": r"tschüss|tschüß|auf wiedersehen|bis (?:bald|später)",
        "ability": r"was kannst du|was kannst du (?:alles )?(?:tun|machen)|was können sie|wer bist du|hilfe|kannst du mir helfen"
        r"|was kann ich (?:dich )?fragen|wie funktioniert das",
    },
    "es": {
        "greeting": r"hola|buenos días|buenas tardes|buenas noches|qué tal|cómo estás",
        "thanks": r"gracias|muchas gracias|mil gracias|genial|perfecto|vale",
        "farewell": r"adiós|hasta luego|hasta pronto",
        "ability": r"qué puedes hacer|qué haces|quién eres|ayuda|puedes ayudarme|qué puedo preguntar(?:te)?|cómo funciona",
    },
    "fr": {
        "greeting": r"bonjour|bonsoir|salut|coucou|ça va|comment ça va|comment allez-vous",
        "thanks": r"merci|merci beaucoup|merci bien|super|parfait|d'accord",
        "farewell": r"au revoir|à bientôt|à plus tard",
        "ability": r"que peux-tu faire|que pouvez-vous faire|qu'est-ce que tu (?:peux|sais) faire|qui es-tu|qui êtes-vous|aide"
        r"|aidez-moi|comment ça marche|que puis-je (?:te |vous )?demander",
    },
    "zh": {
        "greeting": r"你好|您好|嗨|哈喽|早上好|下午好|晚上好|大家好",
        "thanks": r"谢谢|谢谢你|多谢|感谢|謝謝|好的",
        "farewell": r"再见|拜拜|再見",
        "ability": r"你能做什么|你可以做什么|你会做什么|你会什么|你是谁|帮助|帮帮我|我可以问什么|怎么用|你能幫我做什麼",
    },
}
_COMPILED = {
    (language, kind): re.compile(rf"(?:{words})(?: (?:there|all|again|spaceport))?", re.IGNORECASE)
    for language, kinds in _PATTERNS.items()
    for kind, words in kinds.items()
}
_MARKS = re.compile(r"[\s.,!?;:¡¿！？。，、~…)(👋🙏👍😀🙂]+")
_REPLIES = {
    "en": {
        "greeting": "Hello! Ask me about {documents}.",
        "thanks": "You're welcome. Ask on about {documents} if you like.",
        "farewell": "Goodbye!",
        "ability": "I look up answers in {documents} and show you the exact words, each with its place.",
        "hint": "For example: a figure (“What were net sales in 2022?”), a fact (“Who is responsible for …?”), “Summarize "
        "this”, or “Compare A and B”.",
        "none": "your documents (add some first)",
        "others": "{names} and {count} more",
    },
    "de": {
        "greeting": "Hallo! Frag mich etwas zu {documents}.",
        "thanks": "Gern geschehen. Frag ruhig weiter zu {documents}.",
        "farewell": "Auf Wiedersehen!",
        "ability": "Ich suche Antworten in {documents} und zeige den genauen Wortlaut, jeweils mit seiner Stelle.",
        "hint": "Zum Beispiel: eine Zahl („Wie hoch war der Umsatz 2022?“), eine Tatsache („Wer ist zuständig für …?“) oder "
        "„Fasse das zusammen“.",
        "none": "deinen Dokumenten (füge zuerst welche hinzu)",
        "others": "{names} und {count} weiteren",
    },
    "es": {
        "greeting": "¡Hola! Pregúntame algo sobre {documents}.",
        "thanks": "De nada. Puedes seguir preguntando sobre {documents}.",
        "farewell": "¡Hasta luego!",
        "ability": "Busco respuestas en {documents} y muestro las palabras exactas, cada una con su lugar.",
        "hint": "Por ejemplo: una cifra («¿Cuáles fueron las ventas en 2022?»), un hecho («¿Quién es responsable de …?») o "
        "«Resume esto».",
        "none": "tus documentos (añade alguno primero)",
        "others": "{names} y {count} más",
    },
    "fr": {
        "greeting": "Bonjour ! Posez-moi une question sur {documents}.",
        "thanks": "Avec plaisir. Vous pouvez continuer à poser des questions sur {documents}.",
        "farewell": "Au revoir !",
        "ability": "Je cherche des réponses dans {documents} et je montre les mots exacts, chacun avec sa place.",
        "hint": "Par exemple : un chiffre (« Quel était le chiffre d'affaires en 2022 ? »), un fait (« Qui est responsable "
        "de … ? ») ou « Résume ceci ».",
        "none": "vos documents (ajoutez-en d'abord)",
        "others": "{names} et {count} autres",
    },
    "zh": {
        "greeting": "你好！你可以就{documents}提问。",
        "thanks": "不客气。你可以继续就{documents}提问。",
        "farewell": "再见！",
        "ability": "我在{documents}中查找答案，并显示原文及其位置。",
        "hint": "例如：一个数字（“2022年的销售额是多少？”）、一个事实（“谁负责……？”），或“总结一下”。",
        "none": "你的文档（请先添加）",
        "others": "{names}等{count}个以上的文档",
    },
}


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """A message that asks no question to documents: its kind (such as "greeting") and its language."""

    kind: str
    language: str


def find_small_talk(text: str) -> SmallTalk | None:
    """Return what small talk a message is, or None: "Hello, what were net sales?" is a question."""
    if len(text) > MAX_CHARACTERS:
        return None
    parts = [part for part in re.split(r"[.,!?;:！？。，、]+", text.replace("’", "'")) if _MARKS.sub(" ", part).strip()]
    matches = [_match(_MARKS.sub(" ", part).strip()) for part in parts]
    if not matches or None in matches:
        return None
    # "Hello! What can you do?" asks what can be done.
    return next((match for match in matches if match and match.kind == "ability"), matches[0])


def small_talk_reply(talk: SmallTalk, documents: Sequence[str]) -> str:
    """Return the reply in the language of the message; it says what can be asked about which documents."""
    words = _REPLIES[talk.language]
    names = ", ".join(documents[:NAMED_DOCUMENTS]) or words["none"]
    if len(documents) > NAMED_DOCUMENTS:
        names = words["others"].format(names=names, count=len(documents) - NAMED_DOCUMENTS)
    reply = words[talk.kind].format(documents=names)
    return f"{reply}\n\n{words['hint']}" if talk.kind in ("greeting", "ability") else reply


def _match(text: str) -> SmallTalk | None:
    return next(
        (SmallTalk(kind, language) for (language, kind), pattern in _COMPILED.items() if pattern.fullmatch(text)), None
    )
