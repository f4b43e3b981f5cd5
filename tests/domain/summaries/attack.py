"""The oracle: a linear program that tries to derive hidden numbers from everything published.

The unknowns are the joint counts over school x language x mode x column; every published number is an equation.
"""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from engage.domain.summaries.suppression import HIDDEN
from engage.domain.summaries.tables import DIMENSIONS, Table


class Attacker:
    """An attacker who knows all the tables of one question, for one audience or several."""

    def __init__(self, shape):
        self.shape = shape  # schools, languages, modes, columns
        self.at = np.arange(int(np.prod(shape))).reshape(shape)
        self.equations = []
        self.values = []

    def cells(self, dimension=None, group=None, column=None):
        """Return the joint cells that make up one number of a table."""
        index = [slice(None)] * 4
        if dimension is not None:
            index[DIMENSIONS.index(dimension)] = group
        if column is not None:
            index[3] = column
        return self.at[tuple(index)].ravel()

    def learn(self, value, *where):
        if value != HIDDEN:
            self.equations.append(self.cells(*where))
            self.values.append(value)

    def read(self, shown):
        self.learn(shown.base)
        for column, value in enumerate(shown.overall):
            self.learn(value, None, None, column)
        for dimension, cells in shown.by.items():
            for group, base in enumerate(shown.bases[dimension]):
                self.learn(base, dimension, group)
            for (group, column), value in np.ndenumerate(cells):
                self.learn(value, dimension, group, column)

    def range(self, *where):
        """Return minimum and maximum of one number (rows as in `cells`); raises if the published numbers are
        inconsistent."""
        if not self.equations:
            return 0, np.inf
        rows = np.repeat(np.arange(len(self.equations)), [len(each) for each in self.equations])
        matrix = csr_array(
            (np.ones(len(rows)), (rows, np.concatenate(self.equations))), (len(self.equations), self.at.size)
        )
        aim = np.zeros(self.at.size)
        aim[self.cells(*where)] = 1
        ends = []
        for sign in (1, -1):
            found = linprog(sign * aim, A_eq=matrix, b_eq=self.values, method="highs")
            assert found.status in (0, 3), found.message
            ends.append(sign * found.fun if found.status == 0 else np.inf)
        return ends[0], ends[1]


def hidden_numbers(shown):
    """Return the positions of all hidden numbers of a table: overall, bases, cells."""
    places = [(None, None, int(column)) for column in np.flatnonzero(shown.overall == HIDDEN)]
    for dimension, cells in shown.by.items():
        places += [(dimension, int(group), None) for group in np.flatnonzero(shown.bases[dimension] == HIDDEN)]
        places += [(dimension, int(group), int(column)) for group, column in np.argwhere(cells == HIDDEN)]
    return places


def table_of(joint):
    """Return the one-way tables of a joint count (schools x languages x modes x columns)."""
    by = {each: joint.sum(axis=tuple({0, 1, 2} - {at})) for at, each in enumerate(DIMENSIONS)}
    names = tuple(f"c{number}" for number in range(joint.shape[3]))
    return Table(names, joint.sum(axis=(0, 1, 2)), by)


def random_joint(rng):
    """Return a realistic wave: unequal schools, a few small languages, some rare answers."""
    shape = (rng.integers(1, 6), rng.integers(1, 4), rng.integers(1, 4), rng.integers(2, 6))
    weights = [rng.dirichlet(np.full(size, 0.8)) for size in shape[:3]]
    columns = rng.dirichlet(np.full(shape[3], 0.7), size=(shape[0], shape[1]))
    if rng.random() < 0.3:
        columns[:, :] = columns[0, 0]
    chances = np.einsum("s,l,m,slc->slmc", *weights, columns)
    total = int(rng.choice([4, 9, 10, 12, 18, 25, 40, 80, 150, 400]))
    return rng.multinomial(total, chances.ravel() / chances.sum()).reshape(shape).astype(np.int64)
