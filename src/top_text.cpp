#include "src/top_text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::size_t rows_of_a_table = 6;

// Numbers of now, and how fast they grow.
class Rates {
 public:
  Rates(const TopAnswers& now, const TopAnswers* before) : now_(now), before_(before) {}

  // A second; negative: not known yet. Counters that went back are another process's.
  [[nodiscard]] double of(std::uint64_t now, std::uint64_t before) const {
    const double seconds = before_ == nullptr ? 0 : now_.at_seconds - before_->at_seconds;
    if (seconds <= 0 || now < before) return -1;
    return static_cast<double>(now - before) / seconds;
  }
  [[nodiscard]] double of(const Json& now, const Json& before, const char* key) const {
    return of(number_at(now, key), number_at(before, key));
  }
  // The same answer of before; null where there was none.
  [[nodiscard]] const Json& before(Json TopAnswers::*answer) const {
    static const Json nothing;
    return before_ == nullptr ? nothing : before_->*answer;
  }

 private:
  const TopAnswers& now_;
  const TopAnswers* before_;
};

std::string rate_text(double rate) { return rate < 0 ? "-" : short_number(rate); }

// Those of `list` that carry the same name under `key`.
const Json& same_of(const Json& list, const char* key, const std::string& name) {
  static const Json nothing;
  for (const Json& one : list) {
    if (text_at(one, key) == name) return one;
  }
  return nothing;
}

// What is counted under names: the fastest first, then the most.
class Ranking {
 public:
  void add(std::string name, std::uint64_t total, double rate) {
    if (total != 0) rows_.push_back({std::move(name), total, rate});
  }
  [[nodiscard]] std::string text(const char* per_second, const char* total, const char* name) {
    std::sort(rows_.begin(), rows_.end(),
              [](const Row& a, const Row& b) { return std::pair(a.rate, a.total) > std::pair(b.rate, b.total); });
    if (rows_.empty()) return {};
    rows_.resize(std::min(rows_.size(), rows_of_a_table));
    Table table({per_second, total, name});
    for (const Row& row : rows_) table.add({rate_text(row.rate), grouped(row.total), row.name});
    return table.text();
  }

 private:
  struct Row {
    std::string name;
    std::uint64_t total;
    double rate;
  };
  std::vector<Row> rows_;
};

std::uint64_t number_of(const Json& value) { return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0; }

Ranking ranking_of(const Json& now, const Json& before, const Rates& rates) {
  Ranking ranking;
  for (const auto& [name, total] : now.items()) {
    ranking.add(printable(name), number_of(total), rates.of(number_of(total), number_at(before, name.c_str())));
  }
  return ranking;
}

std::string policy_line(const TopAnswers& now) {
  const Json& loaded = at(now.policy, "loaded");
  if (!loaded.is_boolean() || !loaded.get<bool>()) return "no valid policy: nothing is forwarded";
  return fmt::format("policy generation {} since {}", text_at(now.policy, "generation"), text_at(now.policy, "since"));
}

// How busy the workers were in the meantime; of the first picture: since they run.
std::string workers_line(const TopAnswers& now, const Rates& rates) {
  const auto sum = [](const Json& answer, const char* key) {
    std::uint64_t all = 0;
    for (const Json& worker : at(answer, "workers")) all += number_at(worker, key);
    return all;
  };
  const auto grown = [&](const char* key) {
    const std::uint64_t total = sum(now.workers, key);
    const std::uint64_t earlier = sum(rates.before(&TopAnswers::workers), key);
    return static_cast<double>(total >= earlier ? total - earlier : total);
  };
  const double busy = grown("busy_cycles");
  const double cycles = busy + grown("idle_cycles");
  const std::size_t count = at(now.workers, "workers").size();
  return fmt::format("{} worker{}, {:.0f}% busy", count, count == 1 ? "" : "s", cycles == 0 ? 0 : 100 * busy / cycles);
}

std::string flows_line(const TopAnswers& now, const Rates& rates) {
  const Json& flows = at(now.reasons, "flows");
  const Json& before = at(rates.before(&TopAnswers::reasons), "flows");
  return fmt::format("flows    {} live, {}/s opened, {}/s allowed, {}/s denied", grouped(number_at(flows, "live")),
                     rate_text(rates.of(flows, before, "opened")), rate_text(rates.of(flows, before, "allowed")),
                     rate_text(rates.of(flows, before, "denied")));
}

std::string packets_line(const TopAnswers& now, const Rates& rates) {
  const Json& before = rates.before(&TopAnswers::reasons);
  const auto sum = [](const Json& answer) {
    std::uint64_t all = 0;
    for (const auto& [name, total] : at(answer, "reasons").items()) all += number_of(total);
    return all;
  };
  return fmt::format("packets  {}/s in, {}/s forwarded, {}/s ended under a reason, {} held",
                     rate_text(rates.of(now.reasons, before, "received")),
                     rate_text(rates.of(now.reasons, before, "transmitted")),
                     rate_text(rates.of(sum(now.reasons), sum(before))), grouped(number_at(now.reasons, "held")));
}

std::string ports_table(const TopAnswers& now, const Rates& rates) {
  Table table({"PORT", "ROLE", "LINK", "IN PKT/S", "IN BIT/S", "OUT PKT/S", "OUT BIT/S", "MISSED/S"});
  const auto bits = [&](const Json& port, const Json& before, const char* key) {
    const double bytes = rates.of(port, before, key);
    return rate_text(bytes < 0 ? bytes : 8 * bytes);
  };
  for (const Json& port : at(now.ports, "ports")) {
    const std::string name = text_at(port, "name");
    const Json& before = same_of(at(rates.before(&TopAnswers::ports), "ports"), "name", name);
    table.add({name, text_at(port, "role"), text_at(port, "link"),
               rate_text(rates.of(port, before, "received_packets")), bits(port, before, "received_bytes"),
               rate_text(rates.of(port, before, "transmitted_packets")), bits(port, before, "transmitted_bytes"),
               rate_text(rates.of(port, before, "missed"))});
  }
  return table.text();
}

std::string denials_table(const TopAnswers& now, const Rates& rates) {
  const Json& before = at(at(rates.before(&TopAnswers::reasons), "flows"), "denied_by");
  return ranking_of(at(at(now.reasons, "flows"), "denied_by"), before, rates)
      .text("DENIED FLOWS/S", "SO FAR", "REASON");
}

std::string ends_table(const TopAnswers& now, const Rates& rates) {
  const Json& before = at(rates.before(&TopAnswers::reasons), "reasons");
  return ranking_of(at(now.reasons, "reasons"), before, rates).text("ENDED PACKETS/S", "SO FAR", "REASON");
}

std::string rules_table(const TopAnswers& now, const Rates& rates) {
  Ranking ranking;
  for (const Json& rule : at(now.policy, "rules")) {
    const std::string name = text_at(rule, "rule");
    const Json& before = same_of(at(rates.before(&TopAnswers::policy), "rules"), "rule", name);
    ranking.add(name, number_at(rule, "flows"), rates.of(rule, before, "flows"));
  }
  return ranking.text("FLOWS/S", "SO FAR", "RULE");
}

std::string sources_table(const TopAnswers& now) {
  Table table({"FLOWS", "TOP SOURCE", "WORKLOAD"});
  const Json& sources = at(now.egress, "top_sources");
  std::size_t rows = 0;
  for (const Json& source : sources) {
    if (rows++ == rows_of_a_table) break;
    const std::string workload = text_at(source, "workload");
    table.add({grouped(number_at(source, "flows")), text_at(source, "address"),
               text_at(source, "namespace") + (workload.empty() ? "" : '/' + workload)});
  }
  return rows == 0 ? std::string{} : table.text();
}

std::string egress_table(const TopAnswers& now) {
  Table table({"FLOWS", "LEAVE AS", "TCP PORTS", "UDP PORTS"});
  std::vector<const Json*> addresses;
  for (const Json& one : at(now.egress, "in_use")) addresses.push_back(&one);
  std::sort(addresses.begin(), addresses.end(),
            [](const Json* a, const Json* b) { return number_at(*a, "flows") > number_at(*b, "flows"); });
  addresses.resize(std::min(addresses.size(), rows_of_a_table));
  for (const Json* one : addresses) {
    const Json& ports = at(*one, "ports_used");
    table.add({grouped(number_at(*one, "flows")), text_at(*one, "address"), grouped(number_at(ports, "tcp")),
               grouped(number_at(ports, "udp"))});
  }
  return addresses.empty() ? std::string{} : table.text();
}

// Not in the middle of a character.
std::string_view cut(std::string_view line, std::size_t columns) {
  if (line.size() <= columns) return line;
  while (columns != 0 && (static_cast<unsigned char>(line[columns]) & 0xc0U) == 0x80) --columns;
  return line.substr(0, columns);
}

class Page {
 public:
  Page(ScreenSize size, const Style& style) : size_(size), style_(style) {}
  void line(std::string_view text, bool bold = false) {
    if (size_.rows != 0 && rows_ == size_.rows) return;
    ++rows_;
    const std::string_view fitting = cut(text, size_.columns);
    text_ += bold ? style_.paint(Colour::bold, fitting) : std::string(fitting);
    text_ += '\n';
  }
  // A table's lines, the first one its headings, behind an empty line.
  void table(std::string_view lines) {
    if (lines.empty()) return;
    line("");
    for (bool first = true; !lines.empty(); first = false) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      line(lines.substr(0, end), first);
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  ScreenSize size_;
  const Style& style_;
  std::size_t rows_ = 0;
  std::string text_;
};

}  // namespace

std::string short_number(double number) {
  constexpr std::array<std::string_view, 5> units = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (number >= 999.5 && unit + 1 < units.size()) {
    number /= 1000;
    ++unit;
  }
  if (unit == 0) return fmt::format("{:.0f}", number);
  return fmt::format("{:.{}f}{}", number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0, units[unit]);
}

std::string top_text(const TopAnswers& now, const TopAnswers* before, ScreenSize size, const Style& style) {
  const Rates rates(now, before);
  Page page(size, style);
  page.line(fmt::format("sallyport: {}; {}", policy_line(now), workers_line(now, rates)), true);
  page.line(flows_line(now, rates));
  page.line(packets_line(now, rates));
  page.table(ports_table(now, rates));
  page.table(denials_table(now, rates));
  page.table(rules_table(now, rates));
  page.table(ends_table(now, rates));
  page.table(sources_table(now));
  page.table(egress_table(now));
  return std::move(page).take();
}

}  // namespace sallyport
