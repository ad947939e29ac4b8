// A server name as a flow shows it, made comparable or refused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::classifier {

// Lower case, no trailing dot, 1..253 bytes of labels of 1..63 bytes from [a-z0-9_-].
class HostName {
 public:
  static constexpr std::size_t bytes_max = 253;  // RFC 1035 section 2.3.4, without the root label
  static constexpr std::size_t label_bytes_max = 63;
  static constexpr std::size_t labels_max = 127;

  HostName() noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // So many bytes may be loaded wherever one of the name's lies.
  static constexpr std::size_t readable = 32;

  friend bool operator==(const HostName& left, const HostName& right) noexcept { return left.view() == right.view(); }

 private:
  friend std::optional<HostName> normalise(std::string_view shown) noexcept;
  [[nodiscard]] bool read(std::string_view shown) noexcept;

  std::uint8_t size_ = 0;
  // The first size_ bytes are meant. Behind it, so that few lines are touched.
  std::array<char, bytes_max + readable> bytes_;
};
// Not in the class: there it would have every value zeroed before it is made (C++20 [dcl.init.general]).
inline HostName::HostName() noexcept = default;

// Folds case and drops one trailing dot. Nothing where the bytes are no DNS host name: empty, an empty label, a label
// or name too long, any byte but letters, digits, hyphen and underscore between the dots (so no NUL, blank or byte over
// 0x7f), an IPv4 address (an IPv6 one has colons).
[[nodiscard]] std::optional<HostName> normalise(std::string_view shown) noexcept;

// The same of a Host or :authority, behind which a port may stand (RFC 9110 section 4.2.1); the port is not looked at.
[[nodiscard]] std::optional<HostName> normalise_host(std::string_view host) noexcept;

}  // namespace sallyport::classifier
