"""The rules of the scanner for secrets."""

from __future__ import annotations

import pytest

from backends.secret_rules.rules import entropy, find_secrets, rules, shape_rule


def test_rules_of_shapes_come_first() -> None:
    names = [rule.name for rule in rules()]
    assert len(names) > 150
    assert names.index("Stripe key") < names.index("random value under the name of a secret")
    assert all(rule.keywords and all(rule.keywords) for rule in rules())


@pytest.mark.parametrize(
    ("shape", "keyword", "secret", "others"),
    [
        (
            "demo_<hex 8>",
            "demo_",
            "demo_0123abcd",
            ["demo_0123abc", "demo_0123abcde", "demo_0123ABCD", "xdemo_0123abcd"],
        ),
        ("Demo.<url 8+>", "demo.", "Demo.0123ab-def", ["Demox0123ab-def", "Demo.0123"]),
        ("<hex 8>-us<digit 1-2>", "-us", "0123abcd-us12", ["0123abcd-us", "0123abcd-us123"]),
    ],
)
def test_a_shape_becomes_a_rule(shape: str, keyword: str, secret: str, others: list[str]) -> None:
    rule = shape_rule("demo", shape)
    assert rule.keywords == (keyword,)
    match = rule.pattern.search(f"a = '{secret}'")
    assert match
    assert match[0] == secret
    assert not [other for other in others if rule.pattern.search(f"a = '{other}'")]


def test_a_match_far_from_the_start_is_found_at_its_offset() -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    text = f"{'word ' * 10_000}{token} {'word ' * 10_000}{token}"
    assert {finding.start for finding in find_secrets(text)} == {50_000, 50_000 + 41 + 50_000}


def test_a_token_with_little_fixed_text_must_be_random() -> None:
    assert not list(find_secrets("0" * 42))
    assert list(find_secrets("ghp_" + "0" * 36))


def test_entropy() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
