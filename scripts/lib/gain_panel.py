"""One pair of axes for benchmarks: how many times longer something takes, over a size. Both are logarithmic to base 2."""
import math

PANEL_W, PANEL_H, LEFT, TOP, GAP = 330, 270, 62, 84, 56


class Panel:
    """`tokens` are the places on the horizontal axis."""

    def __init__(self, left, tokens, low, high, axis="tokens in the batch"):
        self.left, self.tokens, self.low, self.high, self.axis = left, tokens, low, high, axis

    def x(self, tokens):
        first, last = math.log2(self.tokens[0]), math.log2(self.tokens[-1])
        return self.left + 14 + (PANEL_W - 28) * (math.log2(tokens) - first) / max(last - first, 1)

    def y(self, gain):
        low, high = math.log2(self.low), math.log2(self.high)
        return TOP + PANEL_H * (1 - (math.log2(gain) - low) / (high - low))

    def frame(self, label):
        right, bottom = self.left + PANEL_W, TOP + PANEL_H
        parts = [f'<text class="ink" x="{self.left + PANEL_W / 2}" y="{TOP - 10}" text-anchor="middle">{label}</text>']
        half_octaves = round(2 * math.log2(self.high / self.low))
        for i in range(0, half_octaves + 1, 1 if half_octaves <= 4 else 2):
            gain = self.low * 2 ** (i / 2)
            y = self.y(gain)
            kind = "even" if gain == 1 else "grid"
            parts.append(f'<line class="{kind}" x1="{self.left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
            parts.append(f'<text class="soft small" x="{self.left - 7}" y="{y + 4:.1f}" text-anchor="end">{gain:.3g}'
                         "</text>")
        for tokens in self.tokens:
            x = self.x(tokens)
            parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 5}"/>')
            parts.append(f'<text class="soft small" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{tokens}</text>')
        parts.append(f'<line class="axis" x1="{self.left}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
        parts.append(f'<text class="ink" x="{self.left + PANEL_W / 2}" y="{bottom + 40}" text-anchor="middle">'
                     f"{self.axis}</text>")
        return parts


def threads_of(run):
    return f"{run.threads} thread{'s' if run.threads > 1 else ''}"
