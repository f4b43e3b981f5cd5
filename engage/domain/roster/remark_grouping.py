"""What was found in the files, by kind: who looks at three thousand remarks finds the four that matter on top."""

from collections.abc import Sequence

from engage.domain.roster.remarks import OF_FAMILIES, UNREAD, RemarkGroup
from engage.domain.roster.staging_db import StagingDb

FIRST_LINES = 3  # lines named of each kind
FIRST_VALUES = 5  # values named of each kind

KINDS = "select file, code, count(*), count(distinct value) from problems group by file, code"
LINES = "select distinct line from problems where file = ? and code = ? order by line limit ?"
VALUES = """select value, count(*) as number from problems where file = ? and code = ?
  group by value order by number desc, min(line), value limit ?"""


def group_remarks(stage: StagingDb) -> Sequence[RemarkGroup]:
    """Rows that could not be read first, then what changes families, then by how often it was found."""
    stage.run("create index if not exists problems_kind on problems (file, code, value)")
    groups = []
    for file, code, count, distinct in list(stage.all(KINDS)):
        lines = tuple(row[0] for row in stage.all(LINES, file, code, FIRST_LINES))
        values = tuple((value, number) for value, number in stage.all(VALUES, file, code, FIRST_VALUES))
        groups.append(RemarkGroup(file, code, count, lines, values, distinct - len(values)))
    return sorted(groups, key=_sort_key)


def _sort_key(group: RemarkGroup) -> tuple[bool, bool, int, str, str]:
    return group.code not in UNREAD, group.code not in OF_FAMILIES, -group.count, group.file, group.code
