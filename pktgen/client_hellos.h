// TLS ClientHellos (RFC 8446 section 4.1.2) that name hosts: as large and with as many extensions as browsers send, the
// name in the last of them, which is the longest way for whoever looks for it; of post-quantum size it stands in a
// second segment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport::pktgen {

class ClientHellos {
 public:
  // Names of 1..255 bytes, at least one.
  ClientHellos(std::vector<std::string> names, bool post_quantum);

  // Of the hello that names host `number`, in a TLS record; beyond the last one it begins anew.
  [[nodiscard]] std::size_t bytes(std::uint64_t number) const noexcept;
  // `into`: so many bytes. `random` makes the hello's own random bytes.
  void write(std::uint64_t number, std::uint64_t random, std::span<std::uint8_t> into) const noexcept;

 private:
  [[nodiscard]] const std::string& name(std::uint64_t number) const noexcept { return names_[number % names_.size()]; }

  std::vector<std::string> names_;
  std::vector<std::uint8_t> head_;  // up to the name; its length fields are those of an empty name
};

// What a server says first, in the one segment that answers a hello: a ServerHello, ChangeCipherSpec and records that
// nobody can read.
[[nodiscard]] std::vector<std::uint8_t> server_hello();

}  // namespace sallyport::pktgen
