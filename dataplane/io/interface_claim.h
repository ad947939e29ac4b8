// An interface of the kernel, or a PCI device, belongs to one gateway: two that stand on the same one would both
// forward what arrives.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::dataplane {

// What stands before the interface's name, or the device's address.
inline constexpr std::string_view interface_claim_prefix = "sallyport/interface/";

// A name among the abstract Unix sockets, which are of this network namespace as the interface is, and free again when
// the process ends, however it ends.
class InterfaceClaim {
 public:
  explicit InterfaceClaim(const std::string& interface);
  ~InterfaceClaim();
  InterfaceClaim(InterfaceClaim&& other) noexcept;
  InterfaceClaim& operator=(InterfaceClaim&&) = delete;

  // False: another process has it.
  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  int socket_ = -1;
  bool held_ = true;
};

}  // namespace sallyport::dataplane
