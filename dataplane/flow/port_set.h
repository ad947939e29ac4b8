// Which ports of which egress addresses have a mapping, by protocol; exact.
//
// A line of memory says it of 448 neighbouring ports and is found by hash. Where addresses are well used, which is
// where ports have to be searched for, all lines together stay in the cache, so that a try costs no miss; where they
// are not, a line is kept for as little as one port. Never more lines than ports.
//
// Ahead of the index stands a small table of hints, where the lines of an address lie one behind the other: those of
// some hundred addresses are found at once. Who is not there, or has lost the place to another, is in the index.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

class PortSet {
 public:
  struct Port {
    std::uint32_t address;  // number in the AddressBook
    IpProtocol protocol;
    std::uint16_t port;  // host byte order
  };

  PortSet(std::uint32_t ports, const KeyHash& hash) : lines_(ports), index_(ports), hints_(hints_max), hash_(hash) {}

  [[nodiscard]] bool contains(const Port& port) const noexcept {
    const std::uint32_t number = find(port);
    return number != 0 && (lines_[number].bits[word_of(port)] & bit_of(port)) != 0;
  }
  // For callers that know what comes: fetches what contains() will most likely read.
  void prefetch(const Port& port) const noexcept { dataplane::prefetch(&lines_[hints_[hint_of(port)]]); }
  // What contains() will most likely say; false for lines that the hints have lost.
  [[nodiscard]] bool glance(const Port& port) const noexcept {
    const std::uint32_t hint = hints_[hint_of(port)];
    return is_line_of(hint, port) && (lines_[hint].bits[word_of(port)] & bit_of(port)) != 0;
  }
  // One that it does not contain. False: no room.
  [[nodiscard]] bool add(const Port& port) noexcept {
    std::uint32_t number = find(port);
    if (number == 0) {
      number = lines_.take();
      if (number == 0) return false;
      if (!index_.insert(hash_of(port), number)) {
        lines_.give_back(number);
        return false;
      }
      hints_[hint_of(port)] = number;
      lines_[number] = {{}, port.address, static_cast<std::uint8_t>(port.port / line_ports), port.protocol, 0};
    }
    lines_[number].bits[word_of(port)] |= bit_of(port);
    ++lines_[number].count;
    return true;
  }
  // One that it contains.
  void remove(const Port& port) noexcept {
    const std::uint32_t number = find(port);
    lines_[number].bits[word_of(port)] &= ~bit_of(port);
    if (--lines_[number].count != 0) return;
    index_.erase(hash_of(port), number);
    if (std::uint32_t& hint = hints_[hint_of(port)]; hint == number) hint = 0;
    lines_.give_back(number);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return lines_.bytes() + index_.bytes() + hints_.bytes(); }

 private:
  static constexpr unsigned word_bits = 64;
  static constexpr unsigned line_words = 7;
  static constexpr unsigned line_ports = line_words * word_bits;
  static constexpr unsigned address_lines = 65535 / line_ports + 1;
  static constexpr std::uint32_t hints_max = 1U << 16U;
  static constexpr std::uint64_t domain = 10;

  struct alignas(64) Line {
    std::array<std::uint64_t, line_words> bits;
    std::uint32_t address;
    std::uint8_t place;  // of its first port, in lines
    IpProtocol protocol;
    std::uint16_t count;
  };
  static_assert(sizeof(Line) == 64 && address_lines - 1 <= UINT8_MAX);

  [[nodiscard]] static unsigned word_of(const Port& port) noexcept { return port.port % line_ports / word_bits; }
  [[nodiscard]] static std::uint64_t bit_of(const Port& port) noexcept {
    return std::uint64_t{1} << port.port % line_ports % word_bits;
  }
  [[nodiscard]] std::uint64_t hash_of(const Port& port) const noexcept {
    FlowKey key;
    key.source_port = static_cast<std::uint16_t>(port.port / line_ports);
    key.protocol = port.protocol;
    return hash_(key, std::uint64_t{port.address} << 8U | domain);
  }
  // Lines of an address and protocol side by side; number 0 is nobody's.
  [[nodiscard]] static std::size_t hint_of(const Port& port) noexcept {
    constexpr std::uint32_t of_protocol = hints_max / 4;
    const std::uint32_t at = port.address * address_lines + port.port / line_ports;
    return static_cast<std::size_t>(port.protocol) % 3 * of_protocol + at % of_protocol;
  }
  [[nodiscard]] bool is_line_of(std::uint32_t number, const Port& port) const noexcept {
    const Line& line = lines_[number];
    return line.address == port.address && line.place == port.port / line_ports && line.protocol == port.protocol;
  }
  [[nodiscard]] std::uint32_t find(const Port& port) const noexcept {
    const std::uint32_t hint = hints_[hint_of(port)];
    if (hint != 0 && is_line_of(hint, port)) return hint;
    const std::uint32_t found =
        index_.find(hash_of(port), [&](std::uint32_t number) { return is_line_of(number, port); });
    return found == KeyIndex::none ? 0 : found;
  }

  Slots<Line> lines_;
  KeyIndex index_;
  Block<std::uint32_t> hints_;  // numbers of lines
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
