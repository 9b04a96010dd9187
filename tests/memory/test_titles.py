"""Titles by rule."""

import pytest

from memory.titles import LIMIT, title_from


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How do I **renew** a `passport`? It expired.", "How do I renew a passport?"),
        ("\n\n# Plan\nbody", "Plan"),
        ("> - [ ] see [the page](https://a.invalid/x_(y)", "see the page"),
        ("```python\nprint(snake_case_name)\n```", "print(snake_case_name)"),
        ("2 * 3 * 4 = what", "2 * 3 * 4 = what"),
        ("version 3.11 of it. Next", "version 3.11 of it."),
        ("what.txt: is it safe", "what.txt: is it safe"),
        ("今日は何曜日ですか？明日は？", "今日は何曜日ですか？"),
        ("שלום! מה שלומך", "שלום!"),
        ("!!!", "!!!"),
        ("", ""),
        (" \n\t", ""),
        ("a\0b\u2028c", "a b"),
    ],
)
def test_the_first_sentence_unmarked(text: str, title: str) -> None:
    assert title_from(text) == title


def test_long_sentences_are_cut_between_words() -> None:
    title = title_from("word " * 40)
    assert title == "word " * 11 + "word…" and len(title) <= LIMIT


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301", "👍🏽", "ก็"])
def test_no_cut_inside_what_is_read_as_one_character(cluster: str) -> None:
    for start in range(len(cluster) + 1):
        title = title_from("x" * (LIMIT - 8 + start) + cluster * 20)
        assert len(title) <= LIMIT and title.endswith("…")
        clusters = title[:-1].lstrip("x")
        assert clusters == cluster * (len(clusters) // len(cluster))


def test_one_endless_cluster_is_cut_all_the_same() -> None:
    assert len(title_from("a" + "\u0301" * 500)) <= LIMIT
