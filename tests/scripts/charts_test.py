#!/usr/bin/env python3
"""Tests of scripts/lib: axes and pictures."""
import sys
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "lib"))
import charts
from ticks import Axis, log_ticks, nice_ticks, tick_texts


class Ticks(unittest.TestCase):
    def test_are_round_and_inside(self):
        self.assertEqual(nice_ticks(0, 1, 6), [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0])
        self.assertEqual(nice_ticks(-3, 47, 6), [0, 10, 20, 30, 40])
        self.assertEqual(nice_ticks(5, 5, 6), [5])

    def test_of_a_linear_axis_have_the_same_number_of_decimals(self):
        self.assertEqual(tick_texts(nice_ticks(0, 1, 6)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        self.assertEqual(tick_texts([0.0, 10.0]), ["0", "10"])

    def test_on_a_logarithmic_axis_are_powers_of_ten_where_the_range_is_wide(self):
        self.assertEqual(log_ticks(1, 100, 7), [1, 2, 5, 10, 20, 50, 100])
        self.assertEqual(log_ticks(1e-3, 1e3, 7), [1e-3, 1e-2, 1e-1, 1, 10, 100, 1000])
        self.assertLessEqual(len(log_ticks(1e-9, 1e9, 7)), 7)


class Axes(unittest.TestCase):
    def test_a_rounded_axis_reaches_beyond_its_values(self):
        axis = Axis("x", [0.13, 0.87])
        self.assertLessEqual(axis.lo, 0.13)
        self.assertGreaterEqual(axis.hi, 0.87)
        self.assertIn(axis.hi, [round(tick, 9) for tick in axis.ticks])

    def test_values_that_cannot_be_shown_are_passed_over(self):
        axis = Axis("x", [None, float("nan"), 0, -1, 3, 40], log=True)
        self.assertEqual((axis.lo, axis.hi), (2, 50))

    def test_one_value_alone_has_room_on_both_sides(self):
        axis = Axis("x", [7], tight=True)
        self.assertLess(axis.lo, 7)
        self.assertGreater(axis.hi, 7)

    def test_places_follow_the_logarithm(self):
        axis = Axis("x", [1, 100], log=True, tight=True)
        self.assertAlmostEqual(axis.place(10, 0, 200), 100)
        self.assertAlmostEqual(axis.place(1000, 0, 200), 200)  # held at the end


class Pictures(unittest.TestCase):
    def test_a_long_title_is_wrapped_and_nothing_of_it_lost(self):
        title = "Accuracy on the test pictures & nothing else, " * 6
        picture = charts.Picture(title.strip())
        lines = [node.text for node in xml.fromstring(str(picture)).iter("{http://www.w3.org/2000/svg}text")]
        self.assertGreater(len(lines), 1)
        self.assertEqual(" ".join(lines), title.strip())

    def test_a_break_parts_no_number_from_its_name_or_unit(self):
        text = "Best first: E = 16 63.6 %, dense 12.1"
        lines = charts.wrapped(text, charts.text_width("Best first: E = 16 63.6"))
        self.assertEqual(lines, ["Best first:", "E = 16 63.6 %,", "dense 12.1"])

    def test_a_gap_parts_a_line(self):
        series = charts.Series("a", 0, [1, 2, 3, 4, 5], [1, 2, None, 2, 1])
        panel = charts.LinePanel("p", Axis("x", [1, 5]), Axis("y", [1, 2]), [series])
        self.assertEqual(sum("<polyline" in part for part in panel.draw(0, 0, 400, 250)), 2)

    def test_a_line_of_one_point_shows(self):
        series = charts.Series("a", 0, [1], [1])
        panel = charts.LinePanel("p", Axis("x", [1]), Axis("y", [1]), [series])
        self.assertTrue(any("<circle" in part for part in panel.draw(0, 0, 400, 250)))

    def test_dark_cells_have_light_numbers(self):
        panel = charts.HeatPanel("h", ["cat"], ["0", "1"], [[0.9, 0.1]], "expert")
        text = "\n".join(panel.draw(0, 0, 300, 100))
        self.assertIn('class="on small"', text)
        self.assertIn("cat, 0: 90.0 %", text)


if __name__ == "__main__":
    unittest.main()
