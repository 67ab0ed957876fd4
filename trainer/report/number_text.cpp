#include "trainer/report/number_text.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace moefb::report {
namespace {

constexpr const char* kMinus = "\u2212";
constexpr const char* kNoBreakSpace = "\u00a0";
constexpr double kPlainFrom = 1e-4, kPlainTo = 1e7;  // beyond: powers of ten

std::string plain(double value, int decimals) {
  char text[400];  // the largest double has 309 digits
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

/// A minus sign, but none before a number that shows as zero.
std::string signed_text(std::string digits) {
  if (digits.empty() || digits[0] != '-') return digits;
  digits.erase(0, 1);
  return digits.find_first_not_of("0.") == std::string::npos ? digits : kMinus + digits;
}

std::string superscript(int exponent) {
  static const char* const kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "⁻" : "";
  for (const char digit : std::to_string(std::abs(exponent))) text += kDigits[digit - '0'];
  return text;
}

std::string scientific(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*e", digits - 1, value);
  const std::string all = text;
  const size_t e = all.find('e');
  return signed_text(all.substr(0, e)) + "·10" + superscript(std::stoi(all.substr(e + 1)));
}

/// Decimals that give `value` so many significant digits.
int decimals_of(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*e", digits - 1, value);  // rounds first: 9.996 has two digits before the point
  const std::string all = text;
  return std::max(0, digits - 1 - std::stoi(all.substr(all.find('e') + 1)));
}

/// `mean` and the standard deviation, which one value does not have.
std::string with_error(const std::string& mean, const Spread& spread) {
  if (spread.count < 2) return mean;
  return mean + kNoBreakSpace + "±" + kNoBreakSpace + significant(spread.stddev, 2);
}

}  // namespace

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return kDash;
  return signed_text(plain(value, decimals));
}

std::string percent(double share, int decimals) {
  if (!std::isfinite(share)) return kDash;
  return fixed(100 * share, decimals) + kNoBreakSpace + "%";
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return kDash;
  if (value == 0) return "0";
  const double size = std::fabs(value);
  if (size < kPlainFrom || size >= kPlainTo) return scientific(value, digits);
  return fixed(value, decimals_of(value, digits));
}

std::string with_commas(int64_t value) {
  std::string text = std::to_string(value < 0 ? -value : value);
  for (int64_t at = int64_t(text.size()) - 3; at > 0; at -= 3) text.insert(size_t(at), ",");
  return value < 0 ? kMinus + text : text;
}

std::string short_count(double value) {
  if (!std::isfinite(value)) return kDash;
  const double size = std::fabs(value);
  const auto scaled = [&](double unit, const char* name) { return significant(value / unit) + kNoBreakSpace + name; };
  if (size >= 1e9) return scaled(1e9, "G");
  if (size >= 1e6) return scaled(1e6, "M");
  if (size >= 1e4) return scaled(1e3, "k");
  return fixed(value, 0);
}

std::string with_spread(const Spread& spread, int decimals) {
  if (spread.count < 2) return fixed(spread.mean, decimals);
  return fixed(spread.mean, decimals) + kNoBreakSpace + "±" + kNoBreakSpace + fixed(spread.stddev, decimals);
}

std::string with_spread_significant(const Spread& spread, int digits) {
  const double size = std::fabs(spread.mean);
  if (spread.count < 2 || !(size >= kPlainFrom && size < kPlainTo))
    return with_error(significant(spread.mean, digits), spread);
  int decimals = decimals_of(spread.mean, digits);
  // A spread should not read as zero just because the mean is large.
  for (int more = 0; more < 2 && spread.stddev > 0 && spread.stddev * std::pow(10.0, decimals) < 0.95; ++more)
    ++decimals;
  return with_spread(spread, decimals);
}

std::string counted(size_t count, const std::string& noun) {
  return count == 1 ? "one " + noun : with_commas(int64_t(count)) + " " + noun + "s";
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string exact(double value) {
  if (!std::isfinite(value)) return "";
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

}  // namespace moefb::report
