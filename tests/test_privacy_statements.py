"""docs/privacy-statements.md lists every sentence about privacy that families read, with what makes it true.

Such a sentence has a translators' note that begins with "privacy:". A sentence for families that mentions names,
storing, hiding, or who sees what must have it, or be listed in OTHERWISE below.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from engage.base.catalogs import INTERFACE
from engage.base.languages import shipped_folder
from engage.questionnaire.editions import translatable_texts
from engage.questionnaire.library import shipped_surveys
from engage.services.waves.privacy_statements import STATEMENTS, WITHOUT_PHONE

TOP = Path(__file__).parents[1]
DOCUMENT = TOP / "docs" / "privacy-statements.md"
OF_DISTRICT = "**promise of the district**"
ABOUT_PRIVACY = re.compile(
    r"\b(names?|private|secret|anonymous|confidential|kept|keeps?|stor(e|es|ed)|delet\w+|eras\w+|forget|hidden|hide|"
    r"protects?|punish\w*|immigration|court|random number|close the browser|cannot find|find out|against me|whose|"
    r"who (sees|will see|you are)|see your|sees (my|what)|nobody|no one|this phone|your phone|is safe|"
    r"could open your answers|not shown|tells (them|us)|not have to|any question)\b",
    re.IGNORECASE,
)
OTHERWISE = {  # sentences with such a word that are not about privacy
    "Kept",
    "We cannot find this code. Please check it and try again.",
    "We cannot find this survey",
    "Did you ask the school something on this phone? Use this reply code to read the answer:",
    "On this phone or computer: open the same link.",
    "On this phone or computer: type your code again.",
    "Do others use this phone or computer?",
    "What stays on this phone or computer?",
    "Someone began to answer on this phone.",
    "Some answers came in very fast from one place. We left them out because nobody can tell who sent them.",
    "Nobody's answers are lost. Please come back tomorrow, or ask for a paper form.",
    "Nobody's answers are lost. Please come back tomorrow.",
    "%(survey)s: we got answers for %(share)s of the students whose families read %(language)s (%(count)s of "
    "%(all)s). What would the others add, and how can we ask them?",
    "Students whose families said no are counted too.",
    "We received answers from this phone. Thank you.",
    "Another family wants to answer on this phone",
    "If you asked on paper, we may not have typed in your form yet. Keep your code. It will still work.",
    "Point the camera of your phone at the square, or type this address:",
    "Tear this part off and keep it",
    "We already have the answers for this code. If nobody at home sent them, please tell your school.",
    "We cannot find this page",
    "Who will see your answers",
    "You chose “%(choice)s” and something else too. Please keep what fits.",
    "You gave an answer and also chose not to answer. Please keep one of the two.",
    "Your browser did not keep what we need",
    "hidden",
    "relationships that the law keeps private, such as with a lawyer, a doctor, or a minister",
    "Student's name",
    "Who sees my answers?",
    "Can my answers be used against me?",
    "How long do you keep them?",
}


@dataclass(frozen=True)
class Row:
    """A line of the document."""

    sentence: str
    where: str
    because: str


def rows() -> list[Row]:
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert all(len(row) == 3 for row in cells)
    return [Row(*row) for row in cells if row[0] != "Sentence"]


def messages(*domains: str) -> Iterator[tuple[str, Message]]:
    """Yield the English sentences of the interface, or of these domains."""
    for domain in domains or INTERFACE:
        with (shipped_folder("translations") / f"{domain}.pot").open("rb") as template:
            for message in filter(lambda message: message.id, read_po(template)):
                yield (message.id if isinstance(message.id, str) else message.id[0]), message


def is_marked(message: Message) -> bool:
    return any("privacy:" in note for note in message.auto_comments)


def plain(sentence: str) -> str:
    """Return a sentence as it is in the document."""
    return re.sub(r"%\((\w+)\)s", r"{\1}", re.sub(r"</?b>", "", sentence))


def test_the_list_is_every_marked_sentence_and_no_other() -> None:
    listed = [row.sentence for row in rows()]
    assert len(listed) == len(set(listed)), "a sentence is listed twice"
    marked = {plain(sentence) for sentence, message in messages() if is_marked(message)}
    assert marked - set(listed) == set(), "list it in docs/privacy-statements.md"
    assert set(listed) - marked == set(), "no page says this; take it out, or mark its translators' note with privacy:"


def test_a_sentence_about_privacy_is_marked() -> None:
    unmarked = {
        sentence
        for sentence, message in messages("family")
        if not is_marked(message) and ABOUT_PRIVACY.search(sentence)
    }
    assert unmarked - OTHERWISE == set(), "begin its translators' note with privacy:, and list it in the document"
    assert OTHERWISE - unmarked == set(), "no page says this any more"


def test_the_words_are_those_that_sentences_about_privacy_use() -> None:
    """The search above would find nearly all marked sentences."""
    marked = [sentence for sentence, message in messages() if is_marked(message)]
    assert sum(bool(ABOUT_PRIVACY.search(sentence)) for sentence in marked) >= 0.8 * len(marked)


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.sentence[:40])
def test_what_makes_it_true_is_there(row: Row) -> None:
    named = re.findall(r"`([^`]+)`", row.because)
    assert named or OF_DISTRICT in row.because, "name a test, a part of the software, or the district"
    assert row.where
    for each in named:
        file, _, test = each.partition("::")
        assert (TOP / file).is_file(), f"there is no {file}"
        assert not test or test in functions_of(TOP / file), f"{file} has no {test}"


def test_what_only_the_district_can_keep_is_said_to_be_its_promise() -> None:
    because = {row.sentence: row.because for row in rows()}
    for name, statement in STATEMENTS.items():
        told = because[plain(statement.shipped)]
        assert told.startswith(OF_DISTRICT) == statement.of_district, name
    assert because[plain(WITHOUT_PHONE)].startswith(OF_DISTRICT)


def test_the_shipped_surveys_ask_for_no_name_and_nothing_about_immigration() -> None:
    texts = [each for survey in shipped_surveys() for each in translatable_texts(survey)]
    asked = [text for context, text, _ in texts if not context.endswith("//purpose")]
    assert len(asked) > 100
    private = re.compile(
        r"\b(your (full |last |first )?name|immigra\w*|citizen\w*|visa|born|passport)\b", re.IGNORECASE
    )
    assert [text for text in asked if private.search(text)] == []
