#include "pktgen/capture_check.h"

#include <fmt/format.h>

namespace sallyport::pktgen {
namespace {

constexpr double second_ns = 1e9;
constexpr double hour = 3600;
constexpr double day = 24 * hour;

std::string duration_text(double seconds) {
  return seconds < 2 * day ? fmt::format("{:.1f} hours", seconds / hour) : fmt::format("{:.1f} days", seconds / day);
}

}  // namespace

std::string capture_error(const CapturedFrames& frames, const std::string& path) {
  if (const auto& error = frames.error()) {
    const bool unreadable = error->kind == CaptureError::Kind::unreadable;
    const char* advice = unreadable ? "name another capture, or let this user read it"
                                    : "write it anew with tcpdump -w, or name another";
    return fmt::format("{}: {}", error->message, advice);
  }
  if (!frames.all().empty()) return {};
  if (frames.skipped() + frames.control() == 0)
    return fmt::format("{}: there is no frame in it: name another capture", path);
  return fmt::format(
      "{}: nothing in it can be sent: {} frames over the MTU or of an unknown link layer, {} of ARP, neighbour "
      "discovery "
      "and the like: name another capture",
      path, frames.skipped(), frames.control());
}

std::string copies_error(const CapturedFrames& frames, const ReplayOptions& options) {
  if (!options.shift || options.copies == 1 || frames.any_address_in(*options.shift)) return {};
  return fmt::format(
      "--shift {}: no address of {} is in it, so that all copies would be alike: name a block that holds "
      "some",
      to_string(*options.shift), options.capture);
}

std::string duration_warning(const CapturedFrames& frames, const ReplayOptions& options) {
  if (!options.own_pace || options.common.seconds) return {};
  const double seconds =
      static_cast<double>(frames.duration_ns()) / second_ns / options.speed * static_cast<double>(options.loops);
  if (seconds < hour) return {};
  return fmt::format(
      "{}: at this pace it takes {}: --speed makes it faster, --rate leaves its times out, --seconds ends "
      "it earlier",
      options.capture, duration_text(seconds));
}

}  // namespace sallyport::pktgen
