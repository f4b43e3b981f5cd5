"""Time and size of one blank form: `python -m tests.bench.bench_paper`. Targets: 0.7 s, 400 kB."""

from io import BytesIO
from statistics import median
from time import perf_counter

from engage.base.catalogs import catalogue, survey_catalogues
from engage.base.languages import LANGUAGES
from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.form.cover import Cover
from engage.domain.paper.form.typesetter import SurveyInLanguage
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_surveys

ROUNDS = 5


def main() -> None:
    print(f"{'survey':16} {'language':9} {'first':>8} {'median':>8} {'kB':>6} {'pages':>6}")
    for survey in shipped_surveys():
        edition = build_edition(survey, survey_catalogues())
        for language in LANGUAGES:
            times = []
            for _ in range(ROUNDS):
                out, start = BytesIO(), perf_counter()
                first = SurveyInLanguage(language, edition.survey(language), catalogue(language))
                sheet = write_sheets(out, edition, first, Cover("Riverbend"), serials=["XAA-2C7"])
                times.append(perf_counter() - start)
            size = len(out.getvalue()) / 1000
            print(
                f"{survey.slug:16} {language:9} {times[0]:7.3f}s {median(times):7.3f}s {size:6.1f} {len(sheet.pages):6}"
            )


if __name__ == "__main__":
    main()
