// The generator's command line as values. Written by hand: it shares no room with the one that knows
// Boost.Program_options.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "config/address.h"
#include "dataplane/routing.h"

namespace sallyport::pktgen {

// What every mode has.
struct CommonOptions {
  std::string device;          // as in [[port]]: sends, and receives what comes back there
  std::string receive_device;  // empty: none; receives, too
  std::uint16_t mtu = 1500;
  std::optional<double> seconds;                         // absent: the mode's own end
  std::optional<IpAddress> gateway;                      // asked for its MAC address before sending
  std::optional<dataplane::MacAddress> destination_mac;  // instead
  std::vector<Prefix> answer;                            // addresses that the generator answers ARP and ND for
  bool json = false;
};

// Packets a second. Absent: as fast as the device takes them.
using Rate = std::optional<double>;

struct UdpOptions {
  CommonOptions common;
  std::uint64_t flows = 1;
  std::uint32_t sources = 1;  // inside addresses from `from` on, over which the flows are spread
  IpAddress from;
  IpAddress to;  // of the same family
  std::uint16_t port = 9;
  std::uint32_t size = 64;  // of the frame, check sequence included, as RFC 2544 counts; 0: IMIX (RFC 6985)
  Rate rate;
  bool random_order = false;  // else cyclic
  std::uint64_t seed = 1;
  std::uint64_t run = 0;  // its packets are told from those of other runs by this
};

struct ReplayOptions {
  CommonOptions common;
  std::string capture;
  bool own_pace = true;  // by the capture's times, `speed` times as fast; else `rate`
  double speed = 1.0;
  Rate rate;
  std::uint64_t loops = 1;      // 0: until the seconds are over
  std::uint64_t copies = 1;     // of every frame, one behind the other
  std::optional<Prefix> shift;  // whose addresses differ from copy to copy: address_shift.h
};

struct ConnectOptions {
  CommonOptions common;
  IpAddress from;
  IpAddress to;  // of the same family
  std::uint16_t port = 443;
  std::string names;  // a file; empty: one name
  bool post_quantum = false;
  Rate rate;                      // connections a second
  std::uint64_t parallel = 1024;  // without a rate: so many handshakes at once
  std::uint64_t open = 0;         // stay open; 0: each is closed when its hello is answered
  std::uint32_t sources = 1;
  double timeout = 3;               // seconds
  std::uint32_t sequence_base = 0;  // of first sequence numbers: rises from run to run, as a clock does (RFC 6528)
  bool far_side_here = true;
};

// Trials of one kind of traffic (RFC 2544 section 26.1), at rates that a binary search chooses.
struct SearchOptions {
  std::variant<UdpOptions, ReplayOptions> traffic;  // its rate: the highest one tried; absent: what the device takes
  std::vector<double> losses = {0};                 // per cent, rising; for each the highest rate that loses no more
  double trial_seconds = 10;
  double warm_up_seconds = 1;
  double resolution = 1;  // per cent: how near the bounds come to each other
  std::string plot;       // a file; empty: none
};

// The far side of others.
struct ServeOptions {
  CommonOptions common;
};

struct HelpText {
  std::string text;
};
struct UsageError {
  std::string message;
};

using CommandLine =
    std::variant<UdpOptions, ReplayOptions, ConnectOptions, ServeOptions, SearchOptions, HelpText, UsageError>;

// `arguments` without the program's name.
[[nodiscard]] CommandLine parse_command_line(std::span<const char* const> arguments);

}  // namespace sallyport::pktgen
