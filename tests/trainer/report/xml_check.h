// A small check that text is well-formed: every tag closed in order, attributes quoted, no stray & or <.
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace moefb::report {

class XmlCheck {
 public:
  /// @return "" for well-formed text, else what is wrong and the text around it
  static std::string problem(std::string_view text) {
    XmlCheck check(text);
    check.run();
    return check.problem_;
  }

 private:
  explicit XmlCheck(std::string_view text) : text_(text) {}

  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = what + " near \"" + std::string(text_.substr(at_ > 40 ? at_ - 40 : 0, 90)) + "\"";
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  std::string name() {
    const size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '-')) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  void entity() {
    for (const char* known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (take(known)) return;
    }
    fail("a stray &");
    ++at_;
  }
  void attributes() {
    while (problem_.empty() && take(" ")) {
      if (name().empty() || !take("=\"")) return fail("an attribute without name or quotes");
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '<') fail("< in an attribute");
        text_[at_] == '&' ? entity() : void(++at_);
      }
      if (!take("\"")) fail("an attribute that does not end");
    }
  }
  void tag() {
    if (take("!DOCTYPE html>")) return;
    const bool closing = take("/");
    const std::string tag = name();
    if (tag.empty()) return fail("a stray <");
    if (closing) {
      if (open_.empty() || open_.back() != tag) return fail("</" + tag + "> closes nothing");
      open_.pop_back();
      if (!take(">")) fail("a closing tag that does not end");
      return;
    }
    attributes();
    if (take("/>")) return;
    if (!take(">")) return fail("a tag that does not end");
    open_.push_back(tag);
  }
  void run() {
    while (at_ < text_.size() && problem_.empty()) {
      if (take("<")) {
        tag();
      } else if (text_[at_] == '&') {
        entity();
      } else {
        ++at_;
      }
    }
    if (!open_.empty()) fail("<" + open_.back() + "> is not closed");
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<std::string> open_;
  std::string problem_;
};

}  // namespace moefb::report
