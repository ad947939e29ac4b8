// How near an egress address is to having no port left: towards each server, where a port serves several of them (RFC
// 7857 section 3), and at all, where a port is one inside endpoint's towards everybody (RFC 4787 REQ-1). What is
// fullest is a gauge; whoever passes 80 % is announced, once until it has fallen below 70 %.
//
// Counted in a table without keys, by hash: two that share a place make each other look fuller. With 65,536 places and
// a million flows that is 16 of 64,512 ports, and all it can do is announce too soon.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow_key.h"
#include "dataplane/flow/memory.h"

namespace sallyport::dataplane {

inline constexpr IpProtocol any_protocol{0};  // of ports that are given in blocks

struct PortLoad {
  IpAddress address;  // of the egress
  bool towards_server = false;
  IpAddress server;               // with towards_server
  std::uint16_t server_port = 0;  // likewise, network byte order
  IpProtocol protocol = IpProtocol::tcp;
  std::uint32_t used = 0;
  std::uint32_t of = 0;  // ports that one worker has to give; 0: nothing is in use

  [[nodiscard]] bool fuller_than(const PortLoad& other) const noexcept {
    return std::uint64_t{used} * other.of > std::uint64_t{other.used} * of || (of != 0 && other.of == 0);
  }
};

// Which ports of an egress address are used towards any server, by hash: a port may seem used and be free.
class UsedPorts {
 public:
  UsedPorts() : places_(place_count) {}

  // True: it is the first use of it.
  bool add(std::uint64_t what) noexcept { return places_[what % place_count]++ == 0; }
  // True: it was the last one.
  bool subtract(std::uint64_t what) noexcept { return --places_[what % place_count] == 0; }
  [[nodiscard]] bool contains(std::uint64_t what) const noexcept { return places_[what % place_count] != 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return places_.bytes(); }

 private:
  static constexpr std::size_t place_count = 1U << 18U;
  Block<std::uint32_t> places_;
};

class PortLoads {
 public:
  PortLoads() : places_(place_count) {}

  // `count` more, or fewer, of what `what` hashes to. `load` says what that is; its `used` is filled in. add() answers
  // true where it is to be announced.
  [[nodiscard]] bool add(std::uint64_t what, std::uint32_t count, PortLoad& load) noexcept {
    std::uint32_t& place = places_[what % place_count];
    place += count;
    load.used = place & ~announced;
    Fullest& fullest = load.towards_server ? server_ : address_;
    if (fullest.what == what || load.fuller_than(fullest.load)) fullest = {what, load};
    if ((place & announced) != 0 || std::uint64_t{load.used} * 100 < std::uint64_t{load.of} * 80) return false;
    place |= announced;
    return true;
  }
  void subtract(std::uint64_t what, std::uint32_t count, PortLoad& load) noexcept {
    std::uint32_t& place = places_[what % place_count];
    place -= count;
    const std::uint32_t used = place & ~announced;
    if (std::uint64_t{used} * 100 < std::uint64_t{load.of} * 70) place = used;
    load.used = used;
    if (server_.what == what) server_.load.used = used;
    if (address_.what == what) address_.load.used = used;
  }

  // Of those that ports were taken from lately.
  [[nodiscard]] const PortLoad& fullest_server() const noexcept { return server_.load; }
  [[nodiscard]] const PortLoad& fullest_address() const noexcept { return address_.load; }
  [[nodiscard]] std::size_t bytes() const noexcept { return places_.bytes(); }

 private:
  static constexpr std::size_t place_count = 65536;
  static constexpr std::uint32_t announced = 1U << 31U;
  struct Fullest {
    std::uint64_t what = 0;
    PortLoad load;
  };

  Block<std::uint32_t> places_;
  Fullest server_, address_;
};

}  // namespace sallyport::dataplane
