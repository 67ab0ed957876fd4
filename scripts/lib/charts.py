"""Pictures of one or more panels: lines over a common axis, rows of dots, heat maps. Colours follow the reader's theme."""
import math
import re

import svg
from ticks import Axis

WIDTH = 860  # of every picture, about the column that a page gives it
MARGIN = 16
# As in trainer/report/page/style.css: Okabe and Ito's, lighter on dark.
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#b8578f", "#d89000", "#3fa0dd", "#4a4f57", "#a39100")
DARK = ("#4aa3df", "#f08445", "#2dc197", "#dd8fbd", "#efb239", "#8fd0f5", "#c3cad3", "#efe35a")
SHAPES = ("circle", "square", "triangle", "diamond")


def _colours(colours, heat, on_heat):
    rules = [f".l{i} {{ stroke: {c} }} .f{i} {{ fill: {c} }}" for i, c in enumerate(colours)]
    return " ".join(rules) + f" .heat {{ fill: {heat} }} .on {{ fill: {on_heat} }}"


STYLE = (svg.STYLE + ".line { fill: none; stroke-width: 2.2; stroke-linejoin: round } .dash { stroke-dasharray: 6 4; stroke-width: 1.6 }\n"
         ".band { fill-opacity: 0.17 } .seed { fill-opacity: 0.55 } .hollow { stroke-width: 2 } .head { font-weight: 600 }\n"
         + _colours(LIGHT, "#0a4f88", "#ffffff") + " .hollow { fill: #ffffff }\n@media (prefers-color-scheme: dark) { "
         + _colours(DARK, "#64b5f0", "#0d1117") + " .hollow { fill: #0d1117 } }\n")


def text_width(text, size=13):
    """About; rather too much than too little."""
    return 0.58 * size * len(text)


KEPT_TOGETHER = re.compile(r" (?=[=%]|\d)|(?<==) ")  # a name and its number, a number and its unit


def wrapped(text, width, size=13):
    """`text` in lines that are no wider than `width`, unless a word alone is."""
    lines = [""]
    for word in KEPT_TOGETHER.sub("\u00a0", text).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [line.replace("\u00a0", " ") for line in lines]


def text(x, y, words, css="ink", anchor="start", tip=""):
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    title = f"<title>{svg.escape(tip)}</title>" if tip else ""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}"{place}>{svg.escape(words)}{title}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def finite(value):
    return value is not None and math.isfinite(value)


class Picture:
    """Title, note and legend above; panels are added row by row; str() is the file."""

    def __init__(self, title, note=""):
        self.title, self.parts, self.bottom = title, [], 10
        for words in wrapped(title, WIDTH - 2 * MARGIN, 16):
            self.bottom += 20
            self.parts.append(text(MARGIN, self.bottom, words, "ink title"))
        for words in wrapped(note, WIDTH - 2 * MARGIN, 12) if note else []:
            self.bottom += 17
            self.parts.append(text(MARGIN, self.bottom, words, "soft small"))
        self.bottom += 10

    def legend(self, entries):
        """@param entries  (label, colour, published) of the lines below"""
        x, self.bottom = MARGIN, self.bottom + 16
        for label, colour, published in entries:
            width = 34 + text_width(label) + 16
            if x + width > WIDTH and x > MARGIN:
                x, self.bottom = MARGIN, self.bottom + 20
            self.parts.append(line(x, self.bottom - 4, x + 26, self.bottom - 4, stroke(colour, published)))
            self.parts.append(mark(x + 13, self.bottom - 4, colour, published))
            self.parts.append(text(x + 33, self.bottom, label))
            x += width
        self.bottom += 10

    def add(self, parts, height):
        """@param parts  drawn from self.bottom on, `height` high"""
        self.parts += parts
        self.bottom += height

    def __str__(self):
        return svg.document(WIDTH, round(self.bottom + 6), self.title, self.parts, STYLE)


def stroke(colour, published=False):
    return f"line l{colour % 8}" + (" dash" if published else "")


def mark(x, y, colour, published=False, tip=""):
    css = f"hollow l{colour % 8}" if published else f"f{colour % 8}"
    return svg.marker(SHAPES[colour % 4], x, y, f'class="{css}"', tip)


class Series:
    """A line; `low` and `high` bound the band around it, and are None where there is none."""

    def __init__(self, label, colour, xs, ys, low=None, high=None, published=False, marks=False):
        self.label, self.colour, self.published, self.marks = label, colour, published, marks
        self.xs, self.ys, self.low, self.high = xs, ys, low, high

    def values(self):
        return [value for values in (self.ys, self.low or [], self.high or []) for value in values]


class LinePanel:
    def __init__(self, heading, x_axis, y_axis, series, even=None):
        """@param even  the height of a dashed line across"""
        self.heading, self.x, self.y, self.series, self.even = heading, x_axis, y_axis, series, even

    def draw(self, left, top, width, height):
        """@param left, top  of all that belongs to the panel, names included"""
        room = 30 + max(text_width(label, 12) for label in self.y.texts)
        self.left, self.right, self.top, self.bottom = left + room, left + width - 12, top + 26, top + height - 46
        parts = [text((self.left + self.right) / 2, top + 14, self.heading, "ink head", "middle")]
        parts += self._frame(left)
        if self.even is not None:
            y = self.at_y(self.even)
            parts.append(line(self.left, y, self.right, y, "even"))
        for series in self.series:
            parts += self._band(series)
        for series in sorted(self.series, key=lambda one: not one.published):
            parts += self._line(series)
        return parts

    def at_x(self, value):
        return self.x.place(value, self.left + 6, self.right - 6)

    def at_y(self, value):
        return self.y.place(value, self.bottom, self.top)

    def _frame(self, left):
        parts = []
        for tick, label in zip(self.y.ticks, self.y.texts):
            y = self.at_y(tick)
            parts.append(line(self.left, y, self.right, y, "grid"))
            parts.append(text(self.left - 7, y + 4, label, "soft small", "end"))
        for tick, label in zip(self.x.ticks, self.x.texts):
            x = self.at_x(tick)
            parts.append(line(x, self.bottom, x, self.bottom + 5, "axis"))
            parts.append(text(x, self.bottom + 18, label, "soft small", "middle"))
        parts.append(line(self.left, self.bottom, self.right, self.bottom, "axis"))
        parts.append(text((self.left + self.right) / 2, self.bottom + 37, self.x.name, "ink small", "middle"))
        x, y = left + 12, (self.top + self.bottom) / 2
        parts.append(f'<text class="ink small" x="{x:.1f}" y="{y:.1f}" text-anchor="middle" '
                     f'transform="rotate(-90 {x:.1f} {y:.1f})">{svg.escape(self.y.name)}</text>')
        return parts

    def _points(self, xs, ys):
        usable = lambda y: finite(y) and (not self.y.log or y > 0)
        return [(self.at_x(x), self.at_y(y)) if usable(y) else None for x, y in zip(xs, ys)]

    def _band(self, series):
        if not series.low:
            return []
        edge = self._points(series.xs, series.high) + self._points(series.xs, series.low)[::-1]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in filter(None, edge))
        return [f'<polygon class="band f{series.colour % 8}" points="{path}"/>']

    def _line(self, series):
        parts, piece = [], []
        points = self._points(series.xs, series.ys)
        for point in points + [None]:
            if point:
                piece.append(point)
            elif piece:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in piece)
                parts.append(f'<polyline class="{stroke(series.colour, series.published)}" points="{path}">'
                             f"<title>{svg.escape(series.label)}</title></polyline>")
                piece = []
        shown = [(x, y, p) for x, y, p in zip(series.xs, series.ys, points) if p]
        if not series.marks and len(shown) > 1:
            shown = []
        parts += [mark(*p, series.colour, series.published, f"{series.label}: {y:.4g} at {x:g}") for x, y, p in shown]
        return parts


class DotRow:
    """One thing's values: those of single seeds, their mean, and the text at the right end."""

    def __init__(self, label, colour, values, value_text, published=False):
        self.label, self.colour, self.published, self.value_text = label, colour, published, value_text
        self.values = [value for value in values if finite(value)]


class DotPanel:
    ROW = 26

    def __init__(self, heading, axis, rows):
        self.heading, self.axis, self.rows = heading, axis, rows

    @classmethod
    def height(cls, rows):
        return 26 + cls.ROW * rows + 46

    def draw(self, left, top, width, height):
        names = max(text_width(row.label) for row in self.rows) + 10
        numbers = max(text_width(row.value_text, 12) for row in self.rows) + 12
        start, end = left + names, left + width - numbers - 8
        bottom = top + 26 + self.ROW * len(self.rows)
        parts = [text(left + width / 2, top + 14, self.heading, "ink head", "middle")]
        for tick, label in zip(self.axis.ticks, self.axis.texts):
            x = self.axis.place(tick, start, end)
            parts.append(line(x, top + 26, x, bottom, "grid"))
            parts.append(text(x, bottom + 16, label, "soft small", "middle"))
        parts.append(text((start + end) / 2, bottom + 36, self.axis.name, "ink small", "middle"))
        for index, row in enumerate(self.rows):
            y = top + 26 + self.ROW * (index + 0.5)
            parts.append(text(start - 10, y + 4, row.label, "ink", "end"))
            parts.append(text(left + width - 4, y + 4, row.value_text, "soft small", "end"))
            parts += self._dots(row, y, lambda value: self.axis.place(value, start, end))
        return parts

    def _dots(self, row, y, x):
        if not row.values:
            return []
        low, high, mean = min(row.values), max(row.values), sum(row.values) / len(row.values)
        parts = []
        if high > low:
            parts.append(line(x(low), y, x(high), y, stroke(row.colour)))
            parts += [f'<circle class="seed f{row.colour % 8}" cx="{x(value):.1f}" cy="{y:.1f}" r="3"/>' for value in row.values]
        return parts + [mark(x(mean), y, row.colour, row.published, f"{row.label}: {row.value_text}")]


class HeatPanel:
    """Shares in [0, 1] as shades, in percent."""
    CELL = 22

    def __init__(self, heading, rows, columns, values, column_name):
        self.heading, self.rows, self.columns, self.values, self.column_name = heading, rows, columns, values, column_name

    @classmethod
    def height(cls, rows):
        return 26 + cls.CELL * rows + 46

    def draw(self, left, top, width, height):
        names = max(text_width(row, 12) for row in self.rows) + 8
        cell = (width - names - 10) / len(self.columns)
        start, bottom = left + names, top + 26 + self.CELL * len(self.rows)
        parts = [text(start + cell * len(self.columns) / 2, top + 14, self.heading, "ink head", "middle")]
        for r, (name, row) in enumerate(zip(self.rows, self.values)):
            y = top + 26 + self.CELL * r
            parts.append(text(start - 6, y + 15, name, "ink small", "end"))
            for c, value in enumerate(row):
                parts += self._cell(start + cell * c, y, cell, value, f"{name}, {self.columns[c]}: {100 * value:.1f} %")
        for c, name in enumerate(self.columns):
            parts.append(text(start + cell * (c + 0.5), bottom + 15, name, "soft small", "middle"))
        parts.append(text(start + cell * len(self.columns) / 2, bottom + 35, self.column_name, "ink small", "middle"))
        return parts

    def _cell(self, x, y, width, value, tip):
        css = "on" if value > 0.55 else "ink"
        parts = [f'<rect class="heat" x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" height="{self.CELL - 1}" '
                 f'fill-opacity="{0.04 + 0.96 * min(max(value, 0), 1):.2f}"><title>{svg.escape(tip)}</title></rect>']
        if value >= 0.005:
            parts.append(text(x + width / 2 - 0.5, y + 15, f"{100 * value:.0f}", f"{css} small", "middle"))
        return parts


def add_rows(picture, panels, columns, height):
    """Puts panels side by side, `columns` in a row."""
    width = (WIDTH - 2 * MARGIN + 12) / columns
    for first in range(0, len(panels), columns):
        parts = []
        for index, panel in enumerate(panels[first:first + columns]):
            parts += panel.draw(MARGIN + width * index, picture.bottom, width - 12, height)
        picture.add(parts, height + 8)
