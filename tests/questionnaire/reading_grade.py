"""Flesch-Kincaid grade: 0.39 words per sentence + 11.8 syllables per word - 15.59 (Kincaid and others, 1975)."""

import re

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_ODD = {"video": 3, "idea": 3, "sometimes": 2, "extremely": 3, "being": 2, "doing": 2, "café": 2, "reading": 2}


def syllables(word: str) -> int:
    """Return the number of syllables of an English word: its groups of vowels, minus a silent e at the end."""
    word = re.sub(r"['’].*", "", word.lower())
    if word in _ODD:
        return _ODD[word]
    groups = len(re.findall(r"[aeiouy]+", word)) + len(re.findall(r"[^aeiou]i(?:a|o(?!u|n))", word))  # di-al
    silent = re.search(r"[^aeiouyl]e$|[aeiouy]le$|[^aeiouytd]ed$|[^aeiouylcgsxzh]es$", word)
    return max(groups - bool(silent), 1)


def grade(text: str) -> float:
    """Return the school grade of a text's readability. Every line is at least one sentence."""
    sentences = [part for part in re.split(r"[.!?\n]+", text) if _WORD.search(part)]
    words = [word for part in sentences for word in _WORD.findall(part)]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
