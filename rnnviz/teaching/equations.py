"""The steps of a walkthrough as TeX: each equation, the equation with numbers, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.model.arrays import Array, Mask
from rnnviz.teaching.walkthrough import DIGITS, Stop, T, Walk, wanted, written


@dataclass(frozen=True, eq=False)
class Equations:
    """The equations of one pass.

    walk : the numbers. changed : masks of those that differ from the original ones, by name; underlined.
    colours : of the letters A, B and C, as #rrggbb.
    """

    walk: Walk
    changed: dict[str, Mask]
    colours: Mapping[str, str]

    def of(self, stop: Stop) -> str:
        """Return all lines of one computation."""
        lines = getattr(self, f"_{stop.kind}")(stop)
        return r"\begin{aligned}" + r" \\[3pt] ".join(lines) + r"\end{aligned}"

    def letter(self, name: str) -> str:
        """Return A, B or C in its colour."""
        return rf"\textcolor{{{self.colours[name]}}}{{\mathbf{{{name}}}}}"

    def _row(self, name: str, t: int | None = None) -> str:
        """Return a vector as a row; ``t`` is its index where the array has one vector per step."""
        values, changed = getattr(self.walk, name), self.changed[name]
        if t is not None:
            values, changed = values[t], changed[t]
        return _matrix(values, changed, DIGITS.get(name, 3))

    def _weights(self, name: str, transposed: bool = False) -> str:
        values, changed = getattr(self.walk, name), self.changed[name]
        return _matrix(*((values.T, changed.T) if transposed else (values, changed)), DIGITS.get(name, 3))

    def _result(self, name: str, t: int | None = None) -> str:
        return rf"\boxed{{{self._row(name, t)}}}"

    def _state(self, stop: Stop) -> list[str]:
        """Return the lines of one step forward: combine input and previous state, then apply tanh."""
        t, A, B = stop.t, self.letter("A"), self.letter("B")
        read = rf"{self._row('x', t - 1)}{self._weights('A')}"
        remembered = rf"{self._row('h', t - 1)}{self._weights('B')}"
        return [
            rf"a_{t} &= x_{t}{A} + h_{t - 1}{B}",
            rf"&= {read} + {remembered}",
            rf"&= {self._row('a', t - 1)}",
            rf"h_{t} &= \tanh(a_{t}) = {self._result('h', t)}",
        ]

    def _answer(self, stop: Stop) -> list[str]:
        return [
            rf"y_{stop.t} &= h_{stop.t}{self.letter('C')}",
            rf"&= {self._row('h', stop.t)}{self._weights('C')}",
            rf"&= {self._result('y')}",
        ]

    def _loss(self, stop: Stop) -> list[str]:
        k = self.walk.target
        (e_1, e_2), right = (rf"e^{{{_number(*pair, 2)}}}" for pair in self._pairs("y")), k + 1
        p_k, L = (
            _number(*self._pairs(name)[place], digits) for name, place, digits in (("p", k, 2), ("L", 0, 3))
        )
        return [
            rf"p &= \operatorname{{softmax}}(y_{T}) = \frac{{e^{{y_{T}}}}}{{\sum e^{{y_{T}}}}}",
            rf"&= \frac{{({e_1}\quad {e_2})}}{{{e_1}+{e_2}}} = {self._result('p')}",
            rf"L &= -\ln p_{right} = -\ln {p_k} = \boxed{{{L}}}",
        ]

    def _pairs(self, name: str) -> list[tuple[float, bool]]:
        """Return a vector's numbers, each with a flag for whether it changed."""
        values, changed = getattr(self.walk, name), self.changed[name]
        return [(float(value), bool(other)) for value, other in zip(values, changed, strict=True)]

    def _error(self, stop: Stop) -> list[str]:
        right = wanted(self.walk.target)
        target = _matrix(right, np.zeros(right.shape, bool), 0)
        return [
            rf"\frac{{\partial L}}{{\partial y_{stop.t}}} &= p - y^*",
            rf"&= {self._row('p')} - {target}",
            rf"&= {self._result('G')}",
        ]

    def _back(self, stop: Stop) -> list[str]:
        """Return the lines of one step back: from the output or the next step, then through tanh."""
        t = stop.t
        if t == T:
            source, matrix, arrived = rf"\frac{{\partial L}}{{\partial y_{t}}}", "C", self._row("G")
        else:
            source, matrix, arrived = rf"\alpha_{t + 1}", "B", self._row("alpha", t)
        slope = _matrix(1.0 - self.walk.h[t] ** 2, self.changed["h"][t], 2)
        return [
            rf"\delta_{t} &= {source}\,{self.letter(matrix)}^\top",
            rf"&= {arrived}{self._weights(matrix, transposed=True)}",
            rf"&= {self._result('delta', t - 1)}",
            rf"\alpha_{t} &= \delta_{t}\odot(1-h_{t}^2)",
            rf"&= \delta_{t}\odot{slope} = {self._result('alpha', t - 1)}",
        ]

    def _sum(self, stop: Stop) -> list[str]:
        """Return the lines that sum the contributions of all steps to one matrix's gradient."""
        letter, lag = stop.letter, 1 if stop.letter == "B" else 0
        left, result = (
            rf"\frac{{\partial L}}{{\partial {self.letter(letter)}}}",
            rf"&= \boxed{{{self._weights(f'd{letter}')}}}",
        )
        if letter == "C":
            column = _matrix(self.walk.h[T][:, None], self.changed["h"][T][:, None], DIGITS["h"])
            error = rf"h_{T}^\top\frac{{\partial L}}{{\partial y_{T}}}"
            return [rf"{left} &= {error} = {column}{self._row('G')}", result]
        source = "h" if lag else "x"
        terms = "+".join(rf"{source}_{t - lag}^\top\alpha_{t}" for t in range(1 + lag, T + 1))
        start = r"\qquad(h_0=0)" if lag else ""
        summands = zip(self.walk.shares(letter), self._shares_changed(letter), strict=True)
        return [
            rf"{left} &= {terms}{start}",
            "&= " + "+".join([_matrix(*summand, 2) for summand in summands][lag:]),
            result,
        ]

    def _shares_changed(self, letter: str) -> Mask:
        """Return masks of the changed summands of a gradient: those with a changed factor."""
        source = self.changed["x"] if letter == "A" else self.changed["h"][:-1]
        return np.asarray(source[:, :, None] | self.changed["alpha"][:, None, :])


def _number(value: float, changed: bool, digits: int) -> str:
    """Return one number as TeX, underlined and bold if it changed."""
    shown = written(value, digits).replace("−", "-")
    if "e" in shown:
        mantissa, power = shown.split("e")
        shown = rf"{mantissa}\!\cdot\!10^{{{power}}}"
    return rf"\underline{{\mathbf{{{shown}}}}}" if changed else shown


def _matrix(values: Array, changed: Mask, digits: int) -> str:
    """Return a matrix as TeX; a vector becomes a row."""
    pairs = zip(np.atleast_2d(values), np.atleast_2d(changed), strict=True)
    rows = [
        " & ".join(_number(float(v), bool(c), digits) for v, c in zip(*pair, strict=True)) for pair in pairs
    ]
    return r"\begin{pmatrix}" + r"\\".join(rows) + r"\end{pmatrix}"
