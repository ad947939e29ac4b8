// The `device` of a [[port]], taken apart: "0000:01:00.0", "net_af_xdp,iface=eth1", "net_memif0,role=client,..".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::dataplane {

struct DeviceText {
  enum class Kind : std::uint8_t {
    pci,
    af_packet,  // both stand on an interface of the kernel: argument `iface`
    af_xdp,
    other_virtual,
  };
  Kind kind = Kind::other_virtual;
  std::string driver;  // as written, with a number where one was given: "net_null0"; of a PCI device its address
  std::vector<std::pair<std::string, std::string>> arguments;

  [[nodiscard]] std::optional<std::string> argument(std::string_view key) const;
  // Kept as it is where the operator gave it.
  void set_default(std::string_view key, std::string value);
  // "iface=eth1,queue_count=1"
  [[nodiscard]] std::string arguments_text() const;
  [[nodiscard]] bool on_kernel_interface() const noexcept { return kind == Kind::af_packet || kind == Kind::af_xdp; }
};

// Absent: neither a PCI address nor "net_..".
[[nodiscard]] std::optional<DeviceText> parse_device(std::string_view text);

}  // namespace sallyport::dataplane
