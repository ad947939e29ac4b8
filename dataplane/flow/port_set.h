// Which ports of which egress addresses have a mapping, by protocol; exact.
//
// A line of memory says it of 448 neighbouring ports and is found by hash. Where addresses are well used, which is
// where ports have to be searched for, all lines together stay in the cache, so that a try costs no miss; where they
// are not, a line is kept for as little as one port. Never more lines than ports.
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

  PortSet(std::uint32_t ports, const KeyHash& hash) : lines_(ports), index_(ports), hash_(hash) {}

  [[nodiscard]] bool contains(const Port& port) const noexcept {
    const std::uint32_t number = find(port, hash_of(port));
    return number != 0 && (lines_[number].bits[word_of(port)] & bit_of(port)) != 0;
  }
  // One that it does not contain. False: no room.
  [[nodiscard]] bool add(const Port& port) noexcept {
    const std::uint64_t hash = hash_of(port);
    std::uint32_t number = find(port, hash);
    if (number == 0) {
      number = lines_.take();
      if (number == 0) return false;
      if (!index_.insert(hash, number)) {
        lines_.give_back(number);
        return false;
      }
      lines_[number] = {{}, port.address, static_cast<std::uint8_t>(port.port / line_ports), port.protocol, 0};
    }
    lines_[number].bits[word_of(port)] |= bit_of(port);
    ++lines_[number].count;
    return true;
  }
  // One that it contains.
  void remove(const Port& port) noexcept {
    const std::uint64_t hash = hash_of(port);
    const std::uint32_t number = find(port, hash);
    lines_[number].bits[word_of(port)] &= ~bit_of(port);
    if (--lines_[number].count != 0) return;
    index_.erase(hash, number);
    lines_.give_back(number);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return lines_.bytes() + index_.bytes(); }

 private:
  static constexpr unsigned word_bits = 64;
  static constexpr unsigned line_words = 7;
  static constexpr unsigned line_ports = line_words * word_bits;
  static constexpr std::uint64_t domain = 10;

  struct alignas(64) Line {
    std::array<std::uint64_t, line_words> bits;
    std::uint32_t address;
    std::uint8_t place;  // of its first port, in lines
    IpProtocol protocol;
    std::uint16_t count;
  };
  static_assert(sizeof(Line) == 64 && 65535 / line_ports <= UINT8_MAX);

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
  [[nodiscard]] std::uint32_t find(const Port& port, std::uint64_t hash) const noexcept {
    const std::uint32_t found = index_.find(hash, [&](std::uint32_t number) {
      const Line& line = lines_[number];
      return line.address == port.address && line.place == port.port / line_ports && line.protocol == port.protocol;
    });
    return found == KeyIndex::none ? 0 : found;
  }

  Slots<Line> lines_;
  KeyIndex index_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
