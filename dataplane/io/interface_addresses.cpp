#include "dataplane/io/interface_addresses.h"

#include <algorithm>

#include "dataplane/io/environment_error.h"
#include "dataplane/io/kernel_twin.h"

namespace sallyport::dataplane {
namespace {

bool is_near(const config::InterfaceAddress& own, const IpAddress& address) {
  return parse_prefix(to_string(own.address) + "/" + std::to_string(own.length))->prefix.contains(address);
}

// The kernel gives every interface one, and it is switched off with IPv6 (kernel_interface.cpp).
bool is_link_local(const IpAddress& address) {
  return address.family == Family::v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

}  // namespace

void check_interface_addresses(const config::PortConfig& port, const std::string& interface,
                               const std::vector<IpAddress>& there, const Log& log) {
  const std::string remedy = "take it away (ip address flush dev " + interface + "); " + twin_name(port.name) +
                             " carries the addresses of the port";
  const auto sentence = [&](const std::string& what, const char* so) { return what + so + remedy; };
  for (const IpAddress& address : there) {
    if (is_link_local(address)) continue;
    const std::string what =
        "port \"" + port.name + "\": interface " + interface + " has the address " + to_string(address) + " of its own";
    const bool near = std::any_of(port.addresses.begin(), port.addresses.end(),
                                  [&](const config::InterfaceAddress& own) { return is_near(own, address); });
    if (near) throw EnvironmentError(sentence(what, ", in a network of the port's `addresses`: "));
    log(Severity::warning, sentence(what, ", so the kernel takes what is sent to it past the gateway: "));
  }
}

}  // namespace sallyport::dataplane
