"""Numbers and tables of the Markdown pages that scripts fill in."""
import math


def number(value):
    """Three significant digits without an exponent, two decimals at most."""
    digits = min(2, max(0, 2 - math.floor(math.log10(value)))) if value > 0 else 0
    return f"{value:.{digits}f}"


def table(header, rows, names=0):
    """@param names  how many columns, from the left, hold text: the others are set flush right"""
    align = [" --- "] * names + [" ---: "] * (len(header) - names)
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(align) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def fill_page(page, lines, begin, end):
    """Replaces what stands between the two marker lines of the file `page`; all other text is left alone."""
    text = page.read_text()
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"{page}: expected the lines {begin} and {end} once each")
    before, rest = text.split(begin)
    page.write_text(before + "\n".join([begin, *lines, end]) + rest.split(end)[1])
