"""What all pictures that scripts draw have in common: colours, marks, the frame of the file."""

# Okabe and Ito's colours, which people with any common colour vision tell apart; shapes say the same once more.
SERIES = (("#0072b2", "circle"), ("#d55e00", "square"), ("#009e73", "triangle"), ("#cc79a7", "diamond"))
# A picture in a page does not know the page's colours, so each has a ground of its own.
STYLE = """
.back { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #57606a }
.axis { stroke: #57606a } .grid { stroke: #d0d7de } .even { stroke: #1f2328; stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
  .back { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9da7b3 }
  .axis { stroke: #9da7b3 } .grid { stroke: #30363d } .even { stroke: #e6edf3 }
}
text { font: 13px system-ui, sans-serif } .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px }
"""


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def document(width, height, title, parts, style=STYLE):
    """The file's text. @param title  for those who do not see the picture"""
    title = escape(title)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}">',
        f"<title>{title}</title><style>{style}</style>",
        f'<rect class="back" width="{width}" height="{height}"/>',
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def marker(shape, x, y, paint, tip=""):
    """@param paint  attributes: 'fill="#0072b2"', 'class="f0"'
    @param tip  shown while the pointer rests on it"""
    inner = f"><title>{escape(tip)}</title></{{}}>" if tip else "/>"
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {paint}' + inner.format("circle")
    corners = {
        "square": [(-4, -4), (4, -4), (4, 4), (-4, 4)],
        "triangle": [(0, -5.5), (5, 4), (-5, 4)],
        "diamond": [(0, -6), (5.5, 0), (0, 6), (-5.5, 0)],
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" {paint}' + inner.format("polygon")
