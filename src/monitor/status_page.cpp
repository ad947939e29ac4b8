#include "src/monitor/status_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "src/terminal.h"

namespace sallyport {
namespace {

constexpr std::size_t rows_max = 10;
constexpr std::size_t refusals_shown = 25;

using Out = std::back_insert_iterator<std::string>;

// "1.25 G" of bits, packets, ..; three digits, and the space that stands before the unit.
std::string scaled(double value) {
  constexpr std::array<std::string_view, 5> prefixes = {" ", " k", " M", " G", " T"};
  std::size_t prefix = 0;
  while (value >= 1000 && prefix + 1 < prefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  const int decimals = prefix == 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, prefixes[prefix]);
}

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string time_of_day(std::uint64_t ns) {
  return fmt::format("{:%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(ns / 1'000'000'000)));
}

// Lines over the last minutes, from zero to the greatest of all; newest at the right.
struct Line {
  double History::Sample::*what;
  const char* style;
};
std::string chart(const std::vector<History::Sample>& history, std::initializer_list<Line> lines) {
  double most = 0;
  for (const Line& line : lines) {
    for (const History::Sample& sample : history) most = std::max(most, sample.*line.what);
  }
  constexpr int height = 100;
  std::string text =
      fmt::format(R"(<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img">)", History::seconds_max, height);
  text += fmt::format(R"(<line x1="0" y1="{0}" x2="{1}" y2="{0}"/>)", height, History::seconds_max);
  for (const Line& line : lines) {
    text += fmt::format(R"(<polyline class="{}" points=")", line.style);
    std::size_t x = History::seconds_max - history.size();
    for (const History::Sample& sample : history) {
      const double y = most > 0 ? height - sample.*line.what / most * (height - 4) : height;
      fmt::format_to(Out(text), "{},{:.1f} ", x++, y);
    }
    text += R"("/>)";
  }
  text += "</svg>";
  return text;
}

void section(std::string& page, std::string_view title, std::string_view body, bool wide = false) {
  fmt::format_to(Out(page), "<section{}><h2>{}</h2>{}</section>\n", wide ? R"( class="wide")" : "", title, body);
}

// Cells are HTML already. A heading that ends in '#' is a column of numbers.
class HtmlTable {
 public:
  explicit HtmlTable(std::vector<std::string_view> headings) : headings_(std::move(headings)) {
    text_ = "<table><tr>";
    for (std::string_view heading : headings_) {
      const bool number = is_number(heading);
      if (number) heading.remove_suffix(1);
      fmt::format_to(Out(text_), "<th{}>{}</th>", style(number), heading);
    }
    text_ += "</tr>";
  }

  void add(const std::vector<std::string>& cells) {
    text_ += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i)
      fmt::format_to(Out(text_), "<td{}>{}</td>", style(is_number(headings_[i])), cells[i]);
    text_ += "</tr>";
    empty_ = false;
  }
  [[nodiscard]] std::string text(std::string_view when_empty) const {
    return empty_ ? fmt::format(R"(<p class="faint">{}</p>)", when_empty) : text_ + "</table>";
  }

 private:
  static bool is_number(std::string_view heading) { return heading.ends_with('#'); }
  static std::string_view style(bool number) { return number ? R"( class="number")" : ""; }

  std::vector<std::string_view> headings_;
  std::string text_;
  bool empty_ = true;
};

std::string about(const Figures& figures) {
  const LivePolicy& live = *figures.live;
  std::string text = fmt::format(R"(<header id="about"><h1>{}</h1>)", html(figures.name));
  if (live.policy) {
    fmt::format_to(Out(text), "<span>policy generation {} since {}, <small>{}</small></span>", live.generation,
                   time_text(live.since), html(live.policy->hash()));
  } else {
    text += R"(<strong class="bad">no valid policy: nothing is forwarded</strong>)";
  }
  if (!figures.standing.active) text += R"(<strong class="bad">standby: another gateway forwards</strong>)";
  const bool refused = figures.reloads.last.kind == ReloadResult::Kind::refused;
  fmt::format_to(Out(text),
                 R"(<span class="{}">{}</span><small>{} <span id="stale" class="bad"></span></small></header>)",
                 refused ? "bad" : "faint", html(figures.reloads.last.text), time_text(figures.at));
  return text;
}

void add_charts(std::string& page, const std::vector<History::Sample>& history) {
  const History::Sample now = history.empty() ? History::Sample{} : history.back();
  using Sample = History::Sample;
  section(page, "Received, the last five minutes",
          fmt::format("<p>{}bit/s, {}packets/s</p>{}", scaled(now.bits), scaled(now.packets),
                      chart(history, {{&Sample::bits, "traffic"}})));
  section(page, "New flows, the last five minutes",
          fmt::format(R"(<p><span class="good">{}allowed/s</span>, <span class="bad">{}denied/s</span></p>{})",
                      scaled(now.allowed), scaled(now.denied),
                      chart(history, {{&Sample::allowed, "good"}, {&Sample::denied, "bad"}})));
}

void add_totals(std::string& page, const Figures& figures) {
  const dataplane::CounterSums& sums = figures.sums;
  HtmlTable table({"Since the start", "#"});
  table.add({"packets received", grouped(sums.received)});
  table.add({"packets forwarded", grouped(sums.transmitted)});
  table.add({"flows living", fmt::format("{} of {}", grouped(sums.flows_live), grouped(figures.flows_max))});
  table.add({"flows allowed", grouped(sums.flows_allowed)});
  table.add({"flows denied", grouped(sums.flows_denied)});
  table.add({"server names seen", grouped(sums.names_seen)});
  table.add({"bytes that wait for a verdict", grouped(sums.held_bytes)});
  section(page, "Totals", table.text(""));

  HtmlTable denied({"Flows denied because of", "#"});
  for (std::size_t i = 0; i < sums.denied_by_reason.size(); ++i) {
    if (sums.denied_by_reason[i] == 0) continue;
    denied.add({std::string(to_string(static_cast<classifier::Reason>(i))), grouped(sums.denied_by_reason[i])});
  }
  HtmlTable ended({"Packets that ended here", "#"});
  for (std::size_t i = 0; i < sums.drops.size(); ++i) {
    if (sums.drops[i] == 0) continue;
    ended.add({std::string(to_string(static_cast<dataplane::Drop>(i))), grouped(sums.drops[i])});
  }
  section(page, "Reasons", denied.text("No flow was denied.") + ended.text("No packet ended here."));
}

void add_tops(std::string& page, const Refusals& refusals) {
  const auto top = [&](std::string_view title, std::string_view heading, const std::vector<Refusals::Count>& rows,
                       std::string_view nothing) {
    HtmlTable table({heading, "flows#"});
    for (const Refusals::Count& one : rows) table.add({html(one.what), grouped(one.flows)});
    section(page, title, table.text(nothing));
  };
  top("Names denied most", "name", refusals.names(rows_max), "No name was denied.");
  top("Senders denied most", "sender", refusals.sources(rows_max), "No sender was denied.");
}

std::string load_cells(const dataplane::PortLoad& load) {
  return fmt::format("{} of {} ({:.0f} %)", grouped(load.used), grouped(load.of),
                     100.0 * static_cast<double>(load.used) / static_cast<double>(load.of));
}

void add_appliance(std::string& page, const Figures& figures) {
  HtmlTable egress({"egress address", "towards", "ports in use#"});
  for (const dataplane::PortLoad* load : {&figures.fullest.server, &figures.fullest.address}) {
    if (load->used == 0) continue;
    egress.add({to_string(load->address),
                load->towards_server
                    ? fmt::format("{} port {}", to_string(load->server), __builtin_bswap16(load->server_port))
                    : std::string("anybody"),
                load_cells(*load)});
  }
  section(page, "Fullest egress address", egress.text("No port is in use."));

  HtmlTable ports({"port", "link", "received#", "sent#", "lost#"});
  for (std::size_t i = 0; i < figures.ports.size(); ++i) {
    const dataplane::PortStatus& port = figures.ports[i];
    const dataplane::PortSums& sums = figures.sums.ports.at(i);
    ports.add({html(port.name), port.link_up ? "up" : R"(<span class="bad">down</span>)",
               grouped(sums.received_packets), grouped(sums.transmitted_packets),
               grouped(port.missed + port.no_buffer + port.receive_errors + port.transmit_errors)});
  }
  HtmlTable workers({"worker", "processor#", "packets#", "busy#"});
  for (std::size_t i = 0; i < figures.workers.size(); ++i) {
    const Figures::Worker& worker = figures.workers[i];
    const double cycles = static_cast<double>(worker.status.busy_cycles + worker.status.idle_cycles);
    workers.add(
        {std::to_string(i), std::to_string(worker.status.processor), grouped(worker.sums.received),
         fmt::format("{:.1f} %", cycles > 0 ? 100 * static_cast<double>(worker.status.busy_cycles) / cycles : 0.0)});
  }
  section(page, "Ports and workers", ports.text("") + workers.text(""));
}

void add_refusals(std::string& page, const Refusals& refusals) {
  HtmlTable table({"time (UTC)", "sender", "to", "name", "reason", "rule"});
  std::size_t shown = 0;
  for (const Refusals::Refusal& one : refusals.last()) {
    if (++shown > refusals_shown) break;
    table.add({time_of_day(one.at_ns), html(one.source), html(one.destination), html(one.name), html(one.reason),
               html(one.rule)});
  }
  section(page, "Refused lately", table.text("Nothing was refused."), true);
}

std::string explain_section(const ExplainForm& form, std::string_view answer) {
  const auto field = [](const char* label, const char* name, const std::string& value, const char* hint) {
    return fmt::format(R"(<label>{}<input name="{}" value="{}" placeholder="{}"></label>)", label, name, html(value),
                       hint);
  };
  std::string text =
      R"(<section class="wide"><h2>What would happen, and why?</h2><form action="/explain" method="get">)";
  text += field("from", "from", form.from, "10.1.2.3");
  text += field("to", "to", form.to, "198.51.100.7");
  text += R"(<label>protocol<select name="proto">)";
  for (const char* protocol : {"tcp", "udp", "icmp", "sctp"}) {
    fmt::format_to(Out(text), "<option{}>{}</option>", form.protocol == protocol ? " selected" : "", protocol);
  }
  text += "</select></label>";
  text += field("port", "port", form.port, "443");
  text += field("server name", "host", form.host, "httpbin.org");
  text += "<button>Explain</button></form>";
  if (!answer.empty()) fmt::format_to(Out(text), "<pre>{}</pre>", html(answer));
  text += "</section>\n";
  return text;
}

std::string document(std::string_view title, std::string_view body, bool refresh) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>"
      "<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/status.css\">{}</head>\n"
      "<body>{}</body></html>\n",
      html(title), refresh ? R"(<script src="/status.js" defer></script>)" : "", body);
}

// Bytes of the UTF-8 sequence that starts here (RFC 3629 section 4); 0: none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char first = text.front();
    if (first == '&') {
      out += "&amp;";
    } else if (first == '<') {
      out += "&lt;";
    } else if (first == '>') {
      out += "&gt;";
    } else if (first == '"') {
      out += "&quot;";
    } else if (first == '\'') {
      out += "&#39;";
    } else if (length == 0 || (length == 1 && (first < ' ' || first == 0x7f) && first != '\n')) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string status_page(const Figures& figures, const std::vector<History::Sample>& history, const Refusals& refusals) {
  std::string page = about(figures) + "<main><div id=\"live\">\n";
  add_charts(page, history);
  add_refusals(page, refusals);
  add_tops(page, refusals);
  add_totals(page, figures);
  add_appliance(page, figures);
  page += "</div>\n" + explain_section({}, "") + "</main>";
  return document(figures.name + ": Sallyport", page, true);
}

std::string explain_page(const ExplainForm& form, std::string_view answer) {
  return document(
      "explain: Sallyport",
      "<header><a href=\"/\">back to the figures</a></header><main>" + explain_section(form, answer) + "</main>",
      false);
}

}  // namespace sallyport
