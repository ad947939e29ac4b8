#include "dataplane/io/device_text.h"

#include <algorithm>

namespace sallyport::dataplane {
namespace {

bool is_hexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// "0000:01:00.0", or without the domain "01:00.0". The domain is added, as DPDK names the device by it.
std::optional<std::string> pci_address(std::string_view text) {
  const std::size_t colons = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  if (colons != 1 && colons != 2) return std::nullopt;
  std::string full = colons == 1 ? "0000:" + std::string(text) : std::string(text);
  constexpr std::string_view shape = "0000:00:00.0";
  if (full.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0' ? is_hexadecimal({&full[i], 1}) : full[i] == shape[i];
    if (!fits) return std::nullopt;
  }
  return full;
}

DeviceText::Kind kind_of(std::string_view driver) {
  if (driver.starts_with("net_af_packet")) return DeviceText::Kind::af_packet;
  if (driver.starts_with("net_af_xdp")) return DeviceText::Kind::af_xdp;
  return DeviceText::Kind::other_virtual;
}

}  // namespace

std::optional<std::string> DeviceText::argument(std::string_view key) const {
  for (const auto& [name, value] : arguments) {
    if (name == key) return value;
  }
  return std::nullopt;
}

void DeviceText::set_default(std::string_view key, std::string value) {
  if (!argument(key)) arguments.emplace_back(key, std::move(value));
}

std::string DeviceText::arguments_text() const {
  std::string text;
  for (const auto& [name, value] : arguments) {
    if (!text.empty()) text += ',';
    text += name;
    if (!value.empty()) text += '=' + value;
  }
  return text;
}

std::optional<DeviceText> parse_device(std::string_view text) {
  const std::size_t comma = text.find(',');
  const std::string_view name = text.substr(0, comma);
  DeviceText device;
  if (auto address = pci_address(name)) {
    device.kind = DeviceText::Kind::pci;
    device.driver = std::move(*address);
  } else if (name.starts_with("net_")) {
    device.kind = kind_of(name);
    device.driver = name;
  } else {
    return std::nullopt;
  }
  while (comma != std::string_view::npos && !text.empty()) {
    text.remove_prefix(std::min(text.size(), text.find(',') + 1));
    const std::string_view part = text.substr(0, text.find(','));
    const std::size_t equals = part.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    if (!part.empty()) device.arguments.emplace_back(part.substr(0, equals), value);
    if (text.find(',') == std::string_view::npos) break;
  }
  return device;
}

}  // namespace sallyport::dataplane
