"""Reading of /metrics in tests, by a small parser of the text format (version 0.0.4)."""

import re
from dataclasses import dataclass

SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z_]+)="([^"\\]*)"(?:,|$)')


@dataclass(frozen=True)
class Scrape:
    """The samples of one answer of /metrics: (name, sorted labels) to value."""

    text: str

    @property
    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """All samples. A line that is neither a comment nor a sample, or stands twice, fails."""
        found = {}
        for line in self.text.splitlines():
            if line.startswith("#"):
                continue
            match = SAMPLE.match(line)
            assert match, line
            key = match[1], tuple(sorted(LABEL.findall(match[2] or "")))
            assert key not in found, line
            found[key] = float(match[3])
        return found

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels."""
        wanted = set(labels.items())
        return sum(value for (each, others), value in self.samples.items() if each == name and wanted <= set(others))

    @property
    def names(self) -> set[str]:
        """The names of all samples."""
        return {name for name, _ in self.samples}

    def labels(self, label: str) -> set[str]:
        """All values of a label."""
        return {value for _, labels in self.samples for name, value in labels if name == label}
