#include "dataplane/dns_event.h"

#include <array>

namespace sallyport::dataplane {
namespace {

struct Text {
  std::string_view name;
  std::string_view description;
};

constexpr std::array<Text, dns_event_count> texts = {{
#define SALLYPORT_DNS_TEXT(name, description) {#name, description},
    SALLYPORT_DNS_EVENTS(SALLYPORT_DNS_TEXT)
#undef SALLYPORT_DNS_TEXT
}};

}  // namespace

std::string_view to_string(DnsEvent event) noexcept { return texts[static_cast<std::size_t>(event)].name; }
std::string_view description(DnsEvent event) noexcept { return texts[static_cast<std::size_t>(event)].description; }

}  // namespace sallyport::dataplane
