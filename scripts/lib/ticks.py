"""Round numbers for axes."""
import math


def nice_ticks(lo, hi, at_most):
    """Multiples of 1, 2 or 5 times a power of ten that cover [lo, hi] with at most `at_most` of them inside it."""
    if hi <= lo:
        return [lo]
    power = 10.0 ** (math.floor(math.log10(hi - lo)) - 1)
    step = power
    while True:
        for factor in (1, 2, 5):
            step = factor * power
            first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
            if last - first + 1 <= at_most:
                return [0.0 if i == 0 else i * step for i in range(first, last + 1)]
        power *= 10


def log_ticks(lo, hi, at_most):
    """1, 2 and 5 times powers of ten where few enough of them lie in [lo, hi], 0 < lo; else powers of ten."""
    first, last = math.floor(math.log10(lo)), math.ceil(math.log10(hi))
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [f * 10.0 ** e for e in range(first, last + 1) for f in factors]
        ticks = [tick for tick in ticks if lo * (1 - 1e-9) <= tick <= hi * (1 + 1e-9)]
        if len(ticks) <= at_most:
            return ticks if len(ticks) > 1 else nice_ticks(lo, hi, at_most)
    return ticks[::math.ceil(len(ticks) / at_most)]


def tick_texts(ticks, log=False):
    """Labels; on a linear axis all with the same number of decimals."""
    if log:
        return [f"{tick:g}" for tick in ticks]
    for decimals in range(7):
        texts = [f"{tick:.{decimals}f}" for tick in ticks]
        if all(abs(float(text) - tick) <= 1e-6 * max(1e-12, abs(tick)) for text, tick in zip(texts, ticks)):
            return texts
    return [f"{tick:g}" for tick in ticks]


class Axis:
    """Where a value lies between two ends."""

    def __init__(self, name, values, log=False, count=6, tight=False, ticks=None, texts=None, zero=False):
        """@param values  what has to be on the axis; what is not finite, and on a logarithmic axis not above 0, is passed over
        @param tight  ends where the values end; else at ticks, outside of them
        @param zero  a linear axis starts at 0"""
        self.name, self.log = name, log
        values = [v for v in values if v is not None and math.isfinite(v) and (not log or v > 0)]
        if zero and not log:
            values.append(0.0)
        self.lo, self.hi = (min(values), max(values)) if values else (1.0, 10.0) if log else (0.0, 1.0)
        if self.lo == self.hi:
            self.lo, self.hi = (self.lo / 2, self.hi * 2) if log else (self.lo - 0.5, self.hi + 0.5)
        if not tight:
            self._round(count)
        self.ticks = ticks if ticks is not None else (log_ticks if log else nice_ticks)(self.lo, self.hi, count)
        self.texts = texts or tick_texts(self.ticks, log)

    def _round(self, count):
        if self.log:
            steps = sorted(f * 10.0 ** e for e in range(-15, 16) for f in (1, 2, 5))
            self.lo = max((s for s in steps if s <= self.lo * 1.0001), default=self.lo)
            self.hi = min((s for s in steps if s >= self.hi * 0.9999), default=self.hi)
            return
        ticks = nice_ticks(self.lo, self.hi, count)
        step = ticks[1] - ticks[0] if len(ticks) > 1 else (self.hi - self.lo) or 1.0
        self.lo, self.hi = step * math.floor(self.lo / step + 1e-6), step * math.ceil(self.hi / step - 1e-6)

    def place(self, value, start, end):
        """Position between `start` (lo) and `end` (hi); values beyond the ends are moved to them."""
        at = (lambda v: math.log10(v)) if self.log else (lambda v: v)
        value = min(max(value, self.lo), self.hi)
        return start + (end - start) * (at(value) - at(self.lo)) / (at(self.hi) - at(self.lo))
