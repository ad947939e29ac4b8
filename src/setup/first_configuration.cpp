#include "src/setup/first_configuration.h"

#include <fmt/format.h>

#include "config/address.h"
#include "embedded_policy.h"

namespace sallyport::setup {
namespace {

constexpr long long usual_mtu = 1500;
constexpr long long largest_mtu = 9216;  // config/appliance/ports.cpp refuses more

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') result += '\\';
    result += byte;
  }
  return result + '"';
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quoted(text);
  return "[" + list + "]";
}

std::string port_text(const char* name, const char* comment, const FirstPort& port) {
  std::string text =
      fmt::format("# {}\n[[port]]\nname = \"{}\"\nrole = \"{}\"\ndevice = {}{}\naddresses = {}\n", comment, name, name,
                  quoted(port.device), port.remark.empty() ? "" : "  # " + port.remark, list_of(port.addresses));
  if (!port.gateways.empty()) text += fmt::format("gateway = {}\n", list_of(port.gateways));
  if (port.mtu && *port.mtu != usual_mtu && *port.mtu <= largest_mtu) text += fmt::format("mtu = {}\n", *port.mtu);
  return text + "\n";
}

// "10.0.0.1/24" -> "10.0.0.0/24"
std::vector<std::string> networks_of(const FirstPort& port) {
  std::vector<std::string> networks;
  for (const std::string& address : port.addresses) {
    if (const auto parsed = parse_prefix(address)) networks.push_back(to_string(parsed->prefix));
  }
  return networks;
}

}  // namespace

std::string first_configuration(const FirstPort& inside, const FirstPort& outside) {
  return "# The appliance: ports, cores, limits, logs; read at start. Written by sallyport setup; every key is "
         "explained in\n"
         "# sallyport.toml(5). What may pass stands in policy.toml beside this file, which a reload reads anew.\n\n"
         "[gateway]\npolicy = \"policy.toml\"\n\n" +
         port_text("inside", "Towards the senders, whose next hop its addresses are.", inside) +
         port_text("outside", "Towards the servers; `gateway` is the next hop of what is not on its own networks.",
                   outside) +
         "[workers]\ncores = \"auto\"                                 # or \"1-3,5\"\n\n"
         "[limits]                                       # memory is taken at start\n"
         "flows = 1_000_000\nheld_bytes = \"64M\"                             # payload that waits for a verdict\n\n"
         "[flow_log]                                     # one JSON line a flow, as Suricata's EVE\n"
         "file = \"/var/log/sallyport/flows.jsonl\"\n\n"
         "[metrics]                                      # Prometheus, and the status page\n"
         "listen = \"127.0.0.1:9464\"\n";
}

std::string first_policy(const FirstPort& inside) {
  std::string text(embedded::policy_toml);
  const std::string example = "addresses = [\"10.0.0.0/24\"]";
  const std::size_t at = text.find(example);
  const std::vector<std::string> networks = networks_of(inside);
  if (at != std::string::npos && !networks.empty())
    text.replace(at, example.size(), "addresses = " + list_of(networks));
  return text;
}

}  // namespace sallyport::setup
