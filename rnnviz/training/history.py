"""The recorded measurements of a run, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnviz.model.arrays import Array, Indices

if TYPE_CHECKING:  # a worker needs no tables, and pandas takes as long to load as all the rest
    import pandas as pd

COLUMNS = ("step", "loss", "metric", "grad_norm", "clipped_grad_norm")
MAX_ROWS = 4096
MAX_CURVES = 256


class Thinned:
    """Rows at step 0, s, 2s, ...; when they would exceed the capacity, s doubles.

    Which rows are kept depends only on the number of steps, so runs split into different chunks
    record the same rows. Kept rows are single measurements, not means.
    """

    def __init__(self, capacity: int, width: int) -> None:
        self.stride = 1
        self._rows = np.empty((capacity, width))
        self._length = 0

    @classmethod
    def of(cls, capacity: int, stride: int, rows: Array) -> Thinned:
        """Return the rows (n, width) of the steps 0, stride, 2 stride, ..."""
        made = cls(capacity, rows.shape[1])
        made.stride, made._length = stride, len(rows)
        made._rows[: len(rows)] = rows
        return made

    def wants(self, step: int) -> bool:
        """Return whether the row of this step would be kept."""
        return step % self.stride == 0

    def append(self, step: int, row: Array | tuple[float, ...]) -> None:
        """Add the row of a step, if it is to be kept."""
        if not self.wants(step):
            return
        if self._length == len(self._rows):
            kept = self._rows[: self._length : 2].copy()
            self._rows[: len(kept)] = kept
            self._length, self.stride = len(kept), 2 * self.stride
            if not self.wants(step):
                return
        self._rows[self._length] = row
        self._length += 1

    @property
    def rows(self) -> Array:
        """The kept rows, (n, width)."""
        return self._rows[: self._length]

    @property
    def steps(self) -> Indices:
        """The steps that the kept rows belong to, (n,)."""
        return np.arange(self._length) * self.stride

    def before(self, step: int) -> Thinned:
        """Return the rows of the steps before this one."""
        twin = Thinned(*self._rows.shape)
        twin.stride, twin._length = self.stride, min(self._length, -(-step // self.stride))
        twin._rows[: twin._length] = self.rows[: twin._length]
        return twin

    def copy(self) -> Thinned:
        """Return an independent copy."""
        twin = Thinned(*self._rows.shape)
        twin.stride, twin._length = self.stride, self._length
        twin._rows[: self._length] = self.rows
        return twin

    def __getstate__(self) -> tuple[int, int, int, Array]:
        return self.stride, *self._rows.shape, self.rows.copy()

    def __setstate__(self, state: tuple[int, int, int, Array]) -> None:
        self.stride, capacity, width, rows = state
        self._rows = np.empty((capacity, width))
        self._length = len(rows)
        self._rows[: len(rows)] = rows


class History:
    """The measurements of a run.

    Row n holds the measurements after n updates: the loss of the training batch, the newest
    held-out metric, and the norm of the raw gradient before and after clipping. Some rows also have
    the gradient's curve ||dL/dh_t|| over time (T,), for the top layer and the training batch.
    """

    def __init__(self, seq_len: int) -> None:
        self._scalars = Thinned(MAX_ROWS, len(COLUMNS))
        self._curves = Thinned(MAX_CURVES, seq_len)
        self.latest: tuple[float, ...] | None = None

    @classmethod
    def restored(cls, rows: Array, curves: Array, strides: tuple[int, int]) -> History:
        """Return the measurements of earlier ``columns``, as rows, ``curves`` (n, T) and ``strides``."""
        made = cls(curves.shape[1])
        kept = [row for row in rows if row[0] % strides[0] == 0]
        made._scalars = Thinned.of(MAX_ROWS, strides[0], np.reshape(kept, (len(kept), len(COLUMNS))))
        made._curves = Thinned.of(MAX_CURVES, strides[1], curves)
        made.latest = (int(rows[-1, 0]), *rows[-1, 1:].tolist()) if len(rows) else None
        return made

    @property
    def strides(self) -> tuple[int, int]:
        """The number of updates from one kept row to the next, and from one kept curve to the next."""
        return self._scalars.stride, self._curves.stride

    def wants_curve(self, step: int) -> bool:
        """Return whether this step's gradient curve would be kept, to avoid computing it in vain."""
        return self._curves.wants(step)

    def record(self, row: tuple[float, ...], curve: Array | None = None) -> None:
        """Add one step: the values of COLUMNS, and its gradient curve if wanted."""
        self.latest = row
        self._scalars.append(int(row[0]), row)
        if curve is not None:
            self._curves.append(int(row[0]), curve)

    @property
    def columns(self) -> dict[str, Array]:
        """Return the kept measurements and the latest one, an array (n,) per column."""
        rows = self._scalars.rows
        if self.latest is not None and (len(rows) == 0 or rows[-1, 0] != self.latest[0]):
            rows = np.vstack([rows, self.latest])
        return dict(zip(COLUMNS, rows.T, strict=True))

    def frame(self) -> pd.DataFrame:
        """Return the measurements as a table, one row per kept step."""
        import pandas as pd

        return pd.DataFrame(self.columns).astype({"step": int})

    def curves(self) -> pd.DataFrame:
        """Return the kept gradient curves: one row per training step, one column per time step 1..T."""
        import pandas as pd

        columns = np.arange(1, self._curves.rows.shape[1] + 1)
        index = pd.Index(self._curves.steps, name="step")
        return pd.DataFrame(self._curves.rows.copy(), index=index, columns=columns)

    @property
    def nbytes(self) -> int:
        """Size of the measurements in bytes when sent or stored."""
        return self._scalars.rows.nbytes + self._curves.rows.nbytes

    def before(self, step: int, latest: tuple[float, ...] | None) -> History:
        """Return the measurements before a step; ``latest`` is the last of them."""
        earlier = History(self._curves.rows.shape[1])
        earlier._scalars, earlier._curves = self._scalars.before(step), self._curves.before(step)
        earlier.latest = latest
        return earlier

    def copy(self) -> History:
        """Return an independent copy."""
        twin = History(self._curves.rows.shape[1])
        twin._scalars, twin._curves = self._scalars.copy(), self._curves.copy()
        twin.latest = self.latest
        return twin
