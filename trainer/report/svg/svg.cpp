#include "trainer/report/svg/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "trainer/report/page/html.h"

namespace moefb::report {
namespace {

constexpr size_t kColours = 8;
constexpr double kCharacterWidth = 0.6 * kFontSize;

/// One decimal is a tenth of a unit, which no screen shows; none where it is zero.
double rounded(double value) {
  return std::round(10 * value) / 10;
}

std::string coordinate(double value) {
  char text[400];
  std::snprintf(text, sizeof(text), "%.1f", value);
  std::string out = text;
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

std::string attribute(std::string_view name, double value) {
  return " " + std::string(name) + "=\"" + coordinate(value) + "\"";
}

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escape(value) + "\"";
}

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// Shortens `line` to `width`, by whole characters. @return what was taken off its end
std::string cut_off(std::string& line, double width) {
  size_t end = 0, characters = 0;
  const auto most = static_cast<size_t>(width / kCharacterWidth);
  while (end < line.size() && (!starts_character(line[end]) || characters++ < most)) ++end;
  std::string tail = line.substr(end);
  line.resize(end);
  return tail;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view label) {
  text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + coordinate(width) + " " + coordinate(height) +
          "\" role=\"img\"" + attribute("aria-label", label) + ">";
}

void Svg::close(std::string_view name, std::string_view tip) {
  text_ += tip.empty() ? "/>" : "><title>" + escape(tip) + "</title></" + std::string(name) + ">";
}

void Svg::line(Point a, Point b, std::string_view css) {
  text_ += "<line" + attribute("class", css) + attribute("x1", a.x) + attribute("y1", a.y) + attribute("x2", b.x) +
           attribute("y2", b.y) + "/>";
}

void Svg::polyline(const std::vector<Point>& points, std::string_view css, std::string_view tip) {
  text_ += "<polyline" + attribute("class", css) + " points=\"";
  for (size_t i = 0; i < points.size(); ++i) {
    text_ += (i > 0 ? " " : "") + coordinate(points[i].x) + "," + coordinate(points[i].y);
  }
  text_ += "\"";
  close("polyline", tip);
}

void Svg::circle(Point centre, double radius, std::string_view css, std::string_view tip) {
  text_ += "<circle" + attribute("class", css) + attribute("cx", centre.x) + attribute("cy", centre.y) +
           attribute("r", radius);
  close("circle", tip);
}

void Svg::rect(Point corner, double width, double height, std::string_view css, double opacity, std::string_view tip) {
  text_ += "<rect" + attribute("class", css) + attribute("x", corner.x) + attribute("y", corner.y) +
           attribute("width", rounded(corner.x + width) - rounded(corner.x)) +
           attribute("height", rounded(corner.y + height) - rounded(corner.y));  // neighbours share an edge
  if (opacity < 1) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", std::max(opacity, 0.0));
    text_ += attribute("fill-opacity", std::string_view(text));
  }
  close("rect", tip);
}

void Svg::text(Point at, std::string_view text, std::string_view css, Anchor anchor, std::string_view tip) {
  text_ += "<text" + attribute("class", css) + attribute("x", at.x) + attribute("y", at.y);
  if (anchor != Anchor::kStart) text_ += anchor == Anchor::kEnd ? " text-anchor=\"end\"" : " text-anchor=\"middle\"";
  text_ += ">" + escape(text) + (tip.empty() ? "" : "<title>" + escape(tip) + "</title>") + "</text>";
}

double text_width(std::string_view text) {
  size_t characters = 0;
  for (const char c : text) characters += starts_character(c);
  return kCharacterWidth * double(characters);
}

std::string fitted(const std::string& text, double width) {
  if (text_width(text) <= width) return text;
  std::string out = text;
  while (!out.empty() && text_width(out) + kCharacterWidth > width) {
    do out.pop_back();
    while (!out.empty() && !starts_character(text[out.size()]));
  }
  return out + "…";
}

std::vector<std::string> wrapped(const std::string& text, double first, double rest) {
  std::vector<std::string> lines(1);
  const auto room = [&] { return lines.size() == 1 ? first : rest; };
  const auto add = [&](const std::string& word) {
    if (lines.back().empty()) return void(lines.back() = word);
    if (text_width(lines.back() + " " + word) > room()) return void(lines.push_back(word));
    lines.back() += " " + word;
  };
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    add(text.substr(begin, end - begin));
    while (text_width(lines.back()) > room() && room() > kCharacterWidth)
      lines.push_back(cut_off(lines.back(), room()));
    begin = end + 1;
  }
  return lines;
}

std::string series_line(size_t index) {
  const std::string colour = "line s" + std::to_string(index % kColours);
  return index < kColours ? colour : colour + " d" + std::to_string(1 + (index / kColours - 1) % 2);
}

std::string series_fill(size_t index) {
  return "f" + std::to_string(index % kColours);
}

}  // namespace moefb::report
