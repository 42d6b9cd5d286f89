"""The words by which German, Spanish and French questions say what kind of answer they ask for."""

from __future__ import annotations

from rag.search.languages import FRENCH, GERMAN, SPANISH

_GERMAN_AUXILIARY = r"ist|sind|war|waren|hat|haben|hatten?|wird|werden|wurden?|kann|können|muss|müssen|darf|dürfen|gibt"
_SPANISH_AUXILIARY = r"es|son|era|eran|fue|fueron|está|están|hay|ha|han|puede|pueden|tiene|tienen|debe|deben"
_FRENCH_AUXILIARY = r"est|sont|était|étaient|a|ont|avait|peut|peuvent|doit|doivent|faut"
_GERMAN_MONEY = r"kosten|umsatz|umsätze|gewinn|verlust|preis|miete|gebühr\w*|gehalt|lohn|budget|schulden|bußgeld|rabatt"
_SPANISH_MONEY = r"precio|coste?|ingresos|beneficio|pérdida|gasto|salario|sueldo|presupuesto|deuda|alquiler|multa"
_FRENCH_MONEY = r"prix|coût|chiffre d['’]affaires|revenus?|bénéfice|perte|dépense|salaire|budget|dette|loyer|amende"
# By language: the names of the kinds in the order in which they are looked for.
FOREIGN_KINDS = {
    GERMAN: {
        "reason": r"\b(?:warum|weshalb|wieso|weswegen)\b|\baus welchem grund\b",
        "percent": r"%|\bprozent\w*\b|\bwelche[rn]? anteil\b",
        "duration": r"\bwie (?:lange|oft|häufig|alt|schnell bis)\b"
        r"|\bwie viele? (?:jahre|monate|wochen|tage|stunden|minuten|sekunden)\b",
        "date": r"\b(?:seit|bis|ab) wann\b|^\W*wann\b|\b(?:in|an|zu) welche[mnr] (?:jahr|datum|tag|monat|zeit)\w*\b",
        "person": r"^\W*(?:(?:von|mit|für|bei|zu|gegen) )?(?:wer|wem|wen|wessen)\b",
        "place": r"^\W*(?:wo|wohin|woher)\b|\bin welche[mnr] (?:stadt|land|staat|ort|region|gegend)\b",
        "money": rf"\bwie (?:viel|hoch)\b.{{0,200}}\b(?:{_GERMAN_MONEY})\b"
        r"|\bwie ?viel (?:geld|kostet|zahlt\w*|euro|dollar)\b|^was (?:kostet|kosten)\b",
        "number": r"\bwie ?viele?\b|\bwie (?:groß|hoch|weit|tief|schwer|schnell|lang|breit|warm|kalt)\b",
        "yes_no": rf"^(?:{_GERMAN_AUXILIARY})\b",
    },
    SPANISH: {
        "reason": r"\bpor qué\b|\bcuál (?:es|fue) (?:el motivo|la (?:razón|causa))\b",
        "percent": r"%|\bporcentaje\b|\bqué (?:proporción|parte|fracción)\b",
        "duration": r"\bcuánto (?:tiempo|dura\w*)\b|\bcon qué frecuencia\b"
        r"|\bcuánt[oa]s (?:años|meses|semanas|días|horas|minutos|segundos|veces)\b",
        "date": r"\bcuándo\b|\b(?:en|a) qué (?:año|fecha|día|mes|momento|siglo)\b",
        "person": r"\bquién(?:es)?\b",
        "place": r"\b(?:a|de|en)?dónde\b|\ben qué (?:país|ciudad|estado|lugar|región)\b",
        "money": r"\bcuánto (?:cuesta\w*|costó|vale|dinero|pag\w+|gan\w+|gast\w+)\b"
        rf"|\bcuál \w+ (?:el|la) (?:{_SPANISH_MONEY})\b",
        "number": r"\bcuánt[oa]s?\b|\bqué (?:altura|longitud|peso|tamaño|cantidad|número)\b",
        "yes_no": rf"^\W*(?:se )?(?:{_SPANISH_AUXILIARY})\b",
    },
    FRENCH: {
        "reason": r"\bpourquoi\b|\bpour quelle raison\b",
        "percent": r"%|\bpourcentage\b|\bquelle (?:part|proportion|fraction)\b",
        "duration": r"\bcombien de temps\b|\bquelle (?:est la )?durée\b|\bà quelle fréquence\b"
        r"|\bcombien d(?:e |['’])(?:ans|années|mois|semaines|jours|heures|minutes|secondes|fois)\b",
        "date": r"^\W*(?:(?:depuis|jusqu['’]à) )?quand\b"
        r"|\b(?:en quelle année|à quelle date|quel jour|quel mois|quel siècle)\b",
        "person": r"^\W*(?:(?:à|de|par|avec|pour|chez) )?qui\b",
        "place": r"^\W*(?:d['’])?où\b|\bdans (?:quel|quelle) (?:pays|ville|état|lieu|région)\b",
        "money": r"\bcombien (?:coûte\w*|vaut|d['’]argent|pay\w+|gagn\w+)\b"
        rf"|\bquels? (?:est|sont|était) l[ea]s? (?:{_FRENCH_MONEY})\b",
        "number": r"\bcombien\b|\bquelle (?:est la )?(?:hauteur|longueur|taille|quantité|distance)\b|\bquel nombre\b",
        "yes_no": rf"^(?:est-ce qu\w*|(?:{_FRENCH_AUXILIARY})-(?:t-)?(?:ils?|elles?|on|ce))\b",
    },
}
