// Loss and latency over rate, one above the other, as SVG: written plainly, without scripts and fonts of its own.

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "pktgen/latency_report.h"
#include "pktgen/search.h"

namespace sallyport::pktgen {
namespace {

constexpr double width = 720;
constexpr double left = 70;
constexpr double right = width - 20;
constexpr double label_size = 12;
constexpr const char* over_lines = " paint-order=\"stroke\" stroke=\"white\" stroke-width=\"4\"";
constexpr std::array<const char*, 4> colours = {"#b03030", "#2060a0", "#208050", "#a06010"};

// Values onto pixels.
struct Axis {
  double low = 0;
  double high = 1;
  double from = 0;  // pixel of `low`
  double to = 1;
  bool logarithmic = false;

  [[nodiscard]] double at(double value) const {
    const auto scaled = [this](double v) { return logarithmic ? std::log10(v) : v; };
    value = std::clamp(value, low, high);
    return from + (to - from) * (scaled(value) - scaled(low)) / (scaled(high) - scaled(low));
  }
};

struct Panel {
  Axis x;
  Axis y;
  std::string title;
};

// 1, 2 or 5 times a power of ten: at most eight steps.
double step_of(double range) {
  const double power = std::pow(10, std::floor(std::log10(range)) - 1);
  for (const double step : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    if (range / (step * power) <= 8) return step * power;
  }
  return 50 * power;
}

std::vector<double> ticks(const Axis& axis) {
  std::vector<double> all;
  if (axis.logarithmic) {
    for (double tick = axis.low; tick <= axis.high * 1.001; tick *= 10) all.push_back(tick);
    return all;
  }
  const double step = step_of(axis.high - axis.low);
  for (double tick = axis.low; tick <= axis.high + step / 1000; tick += step) all.push_back(tick);
  return all;
}

std::string text(double x, double y, const char* anchor, const std::string& words, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more, words);
}
std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, style);
}

std::string frame(const Panel& panel, bool with_rates) {
  constexpr const char* grid = "stroke=\"#ddd\"";
  std::string out;
  for (const double tick : ticks(panel.x)) {
    const double x = panel.x.at(tick);
    out += line(x, panel.y.from, x, panel.y.to, grid);
    if (with_rates) out += text(x, panel.y.from + 18, "middle", fmt::format("{:g}", tick));
  }
  for (const double tick : ticks(panel.y)) {
    const double y = panel.y.at(tick);
    out += line(left, y, right, y, grid);
    out += text(left - 8, y + 4, "end", fmt::format("{:g}", tick));
  }
  out += line(left, panel.y.from, right, panel.y.from, "stroke=\"#333\"");
  out += line(left, panel.y.from, left, panel.y.to, "stroke=\"#333\"");
  return out + text(left, panel.y.to - 10, "start", panel.title, " font-weight=\"bold\"");
}

struct Point {
  double x = 0;
  double y = 0;
};

std::string curve(const Panel& panel, const std::vector<Point>& points, const char* colour) {
  std::string path;
  std::string dots;
  for (const Point& point : points) {
    const double x = panel.x.at(point.x);
    const double y = panel.y.at(point.y);
    path += fmt::format("{:.1f},{:.1f} ", x, y);
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x, y, colour);
  }
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n{}", path, colour,
                     dots);
}

std::string legend(const Panel& panel, std::size_t place, const std::string& words, const char* colour) {
  const double x = right - 90 * static_cast<double>(place + 1);
  const double y = panel.y.to - 14;
  return line(x, y, x + 20, y, fmt::format("stroke=\"{}\" stroke-width=\"3\"", colour).c_str()) +
         text(x + 26, y + 4, "start", words);
}

std::vector<const Trial*> by_rate(const SearchReport& report) {
  std::vector<const Trial*> sorted;
  for (const Trial& trial : report.trials) sorted.push_back(&trial);
  std::sort(sorted.begin(), sorted.end(), [](const Trial* a, const Trial* b) { return a->rate() < b->rate(); });
  return sorted;
}

std::string draw_loss(const Panel& panel, const std::vector<const Trial*>& trials, const SearchReport& report) {
  std::vector<Point> points;
  points.reserve(trials.size());
  for (const Trial* trial : trials) points.push_back({trial->rate() / 1e6, trial->loss_percent()});
  std::string out = frame(panel, false) + curve(panel, points, colours[0]);
  double row = panel.y.to + 14;
  for (const double loss : report.losses) {
    const Trial* best = best_trial(report.trials, loss);
    if (best == nullptr || !report.finished(loss)) continue;
    const double x = panel.x.at(best->rate() / 1e6);
    const std::string name = loss == 0 ? "NDR" : fmt::format("PDR {:g} %", loss);
    out += line(x, panel.y.from, x, panel.y.to, "stroke=\"#333\" stroke-dasharray=\"4 3\"");
    out += text(x - 6, row, "end", fmt::format("{}: {:.4g} Mpps", name, best->rate() / 1e6), over_lines);
    row += 16;
  }
  return out;
}

std::string draw_latency(const Panel& panel, const std::vector<const Trial*>& trials) {
  struct Share {
    const char* name;
    double share;
  };
  constexpr std::array<Share, 3> shares = {{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}}};
  std::string out = frame(panel, true);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    std::vector<Point> points;
    for (const Trial* trial : trials) {
      const Latency& latency = trial->report.latency;
      if (latency.count() == 0) continue;
      points.push_back({trial->rate() / 1e6, microseconds(latency.percentile(shares[i].share))});
    }
    out += curve(panel, points, colours[i + 1]);
    out += legend(panel, shares.size() - 1 - i, shares[i].name, colours[i + 1]);
  }
  return out;
}

// Whole powers of ten around all percentiles drawn, in microseconds.
Axis latency_axis(const std::vector<const Trial*>& trials) {
  double low = 1e9;
  double high = 0;
  for (const Trial* trial : trials) {
    const Latency& latency = trial->report.latency;
    if (latency.count() == 0) continue;
    low = std::min(low, std::max(microseconds(latency.percentile(0.5)), 0.1));
    high = std::max(high, microseconds(latency.percentile(0.999)));
  }
  if (high == 0) low = high = 1;
  Axis axis;
  axis.logarithmic = true;
  axis.low = std::pow(10, std::floor(std::log10(low)));
  axis.high = std::max(std::pow(10, std::ceil(std::log10(high))), axis.low * 10);
  return axis;
}

}  // namespace

std::string to_svg(const SearchReport& report) {
  const std::vector<const Trial*> trials = by_rate(report);
  double rate_most = 1e-6;
  double loss_most = 0.001;
  for (const Trial* trial : trials) {
    rate_most = std::max(rate_most, trial->rate() / 1e6);
    loss_most = std::max(loss_most, trial->loss_percent());
  }
  const Axis rates{0, rate_most * 1.05, left, right};
  Axis latencies = latency_axis(trials);
  latencies.from = 430;
  latencies.to = 270;
  const Panel loss{rates, {0, loss_most * 1.1, 200, 60}, "packets lost, %"};
  const Panel latency{rates, latencies, "latency, us"};
  const std::string order = report.order.empty() ? "" : ", flows in " + report.order + " order";
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"480\" viewBox=\"0 0 {0} 480\" "
             "font-family=\"sans-serif\" font-size=\"{1}\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" "
             "fill=\"white\"/>\n",
             width, label_size) +
         text(left, 24, "start", fmt::format("{}{}, {:g} s a trial", report.traffic, order, report.trial_seconds),
              " font-size=\"15\"") +
         draw_loss(loss, trials, report) + draw_latency(latency, trials) +
         text((left + right) / 2, 470, "middle", "rate, Mpps") + "</svg>\n";
}

}  // namespace sallyport::pktgen
