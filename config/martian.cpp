#include "config/martian.h"

#include <array>

namespace sallyport::config {
namespace {

// Policy language, section 5.
constexpr std::array<std::string_view, 10> martians{"0.0.0.0/8",   "127.0.0.0/8",  "169.254.0.0/16", "224.0.0.0/4",
                                                    "240.0.0.0/4", "::/128",       "::1/128",        "fe80::/10",
                                                    "ff00::/8",    "::ffff:0:0/96"};

}  // namespace

std::string_view martian_around(const Prefix& prefix) {
  for (const std::string_view text : martians) {
    if (parse_prefix(text)->prefix.contains(prefix)) return text;
  }
  return {};
}

std::string_view martian_in(const AddressRange& range) {
  for (const std::string_view text : martians) {
    const Prefix martian = parse_prefix(text)->prefix;
    if (martian.address.family != range.first.family) continue;
    if (martian.first() <= range.last && range.first <= martian.last()) return text;
  }
  return {};
}

}  // namespace sallyport::config
