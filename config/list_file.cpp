#include "config/list_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/values.h"
#include "config/host_name.h"

namespace sallyport::config {
namespace {

// Of a line, so no line break among them.
constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A word of a line and the place of its first byte.
struct Word {
  std::string_view text;
  Location at;
};

// Takes the next word off `line`; its text is empty at the end of the line.
Word take_word(std::string_view& line, Location& at) {
  const auto start = static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), is_blank) - line.begin());
  at.column += static_cast<std::uint32_t>(start);
  line.remove_prefix(start);
  const auto length = static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_blank) - line.begin());
  const Word word{line.substr(0, length), at};
  at.column += static_cast<std::uint32_t>(length);
  line.remove_prefix(length);
  return word;
}

// Goes through the lines of a list and keeps count of what is wrong with them.
class ListReader {
 public:
  ListReader(std::uint32_t file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {}
  ~ListReader() {
    if (untold_errors_ != 0) {
      diagnostics_.error(first_untold_error_, "", fmt::format("{} more errors from here on", untold_errors_));
    }
    if (untold_warnings_ != 0) {
      diagnostics_.warning(first_untold_warning_, "", fmt::format("{} more warnings from here on", untold_warnings_));
    }
  }
  ListReader(const ListReader&) = delete;
  ListReader& operator=(const ListReader&) = delete;

  void error(Location at, std::string message) {
    if (errors_++ < bounds::list_file_told) {
      diagnostics_.error(at, "", std::move(message));
    } else if (untold_errors_++ == 0) {
      first_untold_error_ = at;
    }
  }
  void warning(Location at, std::string message) {
    if (warnings_++ < bounds::list_file_told) {
      diagnostics_.warning(at, "", std::move(message));
    } else if (untold_warnings_++ == 0) {
      first_untold_warning_ = at;
    }
  }

  // Calls read(line, place) for every line that holds something. False from it ends the list.
  template <typename Read>
  void each_line(std::string_view text, Read&& read) {
    Location at{file_, 1, 1};
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      line = line.substr(0, line.find('#'));
      if (!std::all_of(line.begin(), line.end(), is_blank) && !read(line, at)) return;
      text.remove_prefix(std::min(end + 1, text.size()));
      ++at.line;
    }
  }

  // False, and a report, when the list is full.
  bool has_room(std::size_t entries, Location at) {
    if (entries < bounds::list_file_entries) return true;
    error(at, fmt::format("more than {} entries", bounds::list_file_entries));
    return false;
  }

 private:
  std::uint32_t file_;
  Diagnostics& diagnostics_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  std::size_t untold_errors_ = 0;
  std::size_t untold_warnings_ = 0;
  Location first_untold_error_;
  Location first_untold_warning_;
};

std::optional<ParsedPrefix> parse_prefix_or_address(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return parse_prefix(text);
  const auto single = parse_address(text);
  if (!single) return std::nullopt;
  return ParsedPrefix{{*single, static_cast<std::uint8_t>(address_bits(single->family))}, false};
}

// "0.0.0.0" and "fe80::1%lo0" alike: the first word of a line of a hosts file.
bool is_hosts_address(std::string_view word) { return parse_address(word.substr(0, word.find('%'))).has_value(); }

}  // namespace

void read_prefix_list(std::string_view text, std::uint32_t file, std::vector<LocatedPrefix>& into,
                      Diagnostics& diagnostics) {
  ListReader list(file, diagnostics);
  std::size_t count = 0;
  list.each_line(text, [&](std::string_view line, Location at) {
    const Word word = take_word(line, at);
    if (!list.has_room(count++, word.at)) return false;
    const auto parsed = parse_prefix_or_address(word.text);
    if (!parsed) {
      list.error(word.at, fmt::format("{}: expected a CIDR or an address", in_quotes(word.text)));
    } else if (const Word more = take_word(line, at); !more.text.empty()) {
      list.error(more.at, fmt::format("{}: expected one CIDR or address a line", in_quotes(more.text)));
    } else {
      if (parsed->host_bits_cleared) list.warning(word.at, host_bits_message(word.text, parsed->prefix));
      into.push_back({parsed->prefix, word.at});
    }
    return true;
  });
}

Parsed<std::string> parse_set_name(std::string_view text, DomainSet::Match match) {
  const bool apex = text.starts_with('.') && text.size() > 1;
  const bool wildcard = apex || text.starts_with("*.");
  if (wildcard && match == DomainSet::Match::exact) {
    return Parsed<std::string>::failure(fmt::format("{}: a wildcard in a set with match = \"exact\"", in_quotes(text)));
  }
  return normalize_host_name(text.substr(apex ? 1 : wildcard ? 2 : 0));
}

void read_name_list(std::string_view text, std::uint32_t file, DomainSet::Match match, std::vector<std::string>& into,
                    Diagnostics& diagnostics) {
  ListReader list(file, diagnostics);
  std::size_t count = 0;
  const auto add = [&](const Word& word) {
    auto name = parse_set_name(word.text, match);
    if (name) {
      into.push_back(std::move(*name.value));
    } else {
      list.error(word.at, std::move(name.error));
    }
  };
  list.each_line(text, [&](std::string_view line, Location at) {
    const Word first = take_word(line, at);
    Word word = take_word(line, at);
    if (word.text.empty()) {
      if (!list.has_room(count++, first.at)) return false;
      add(first);
      return true;
    }
    if (!is_hosts_address(first.text)) {
      list.error(word.at, fmt::format("{}: expected one name a line, or an address and names", in_quotes(word.text)));
      return true;
    }
    for (; !word.text.empty(); word = take_word(line, at)) {
      if (!list.has_room(count++, word.at)) return false;
      // Published hosts files hold the line "0.0.0.0 0.0.0.0", which names nothing.
      if (word.text != first.text) add(word);
    }
    return true;
  });
}

}  // namespace sallyport::config
