// The clients of `connect`: TCP handshakes, a ClientHello each, and a FIN, for millions of connections at once.
//
// A connection is a number; its endpoint and with it its place in the table follow from the number, and so does
// everything it sends. What has to be remembered is 16 bytes, taken at start. An example, with 2 endpoints:
//
//   connection   0 1 2 3      0 and 2 have the same endpoint, as has every second one: a place in the table
//   endpoint     0 1 0 1      belongs to one of them at a time, and its `round` says to which
//   round        0 0 1 1
//
// A place that is still taken when its next turn comes is passed over, and so is the number: one connection that nobody
// answers holds up no other.
//
// Nothing is sent twice: what is lost counts as timed out. Time is an argument.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/routing.h"
#include "pktgen/client_hellos.h"
#include "pktgen/connect_report.h"
#include "pktgen/endpoints.h"
#include "pktgen/options.h"
#include "pktgen/tcp_segment.h"

namespace sallyport::pktgen {

class Connections {
 public:
  Connections(const ConnectOptions& options, std::vector<std::string> names, const dataplane::MacAddress& source,
              const dataplane::MacAddress& destination, std::uint64_t cycles_per_second);

  // How many connections may begin now, at most `most`: so many of the next endpoints are free, of those that one call
  // looks at.
  [[nodiscard]] std::size_t room(std::uint64_t now, std::size_t most) noexcept;
  // The next one, as room() said that there is; more than options.open are open: the oldest is closed.
  void begin(std::uint64_t now) noexcept;
  // Begins to close up to `most` of those that are open, going once through the table, so many places a call; how many.
  [[nodiscard]] std::size_t close_some(std::uint64_t now, std::size_t most) noexcept;
  [[nodiscard]] bool all_seen() const noexcept { return swept_ == table_.size(); }

  // Segments that wait for being written.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_count_; }
  [[nodiscard]] std::uint32_t write(std::uint64_t now, std::uint8_t* bytes) noexcept;
  // A frame that came in; false: not ours.
  [[nodiscard]] bool take(std::uint64_t now, std::span<const std::uint8_t> frame) noexcept;
  // Gives up on those that wait too long for an answer to SYN or hello.
  void expire(std::uint64_t now) noexcept;
  // On all that wait for an answer to their FIN.
  void expire_closing() noexcept;

  [[nodiscard]] std::uint64_t under_way() const noexcept { return under_way_; }
  [[nodiscard]] std::uint64_t closing() const noexcept { return closing_; }
  // Neither closed nor reset nor timed out as yet.
  [[nodiscard]] std::uint64_t not_ended() const noexcept { return under_way_ + report_.open + closing_; }
  [[nodiscard]] const ConnectReport& report() const noexcept { return report_; }

 private:
  enum class State : std::uint8_t { free, syn_sent, hello_sent, open, fin_sent };
  struct Entry {
    std::uint64_t since = 0;        // cycles: when its last segment was sent that wants an answer
    std::uint32_t server_next = 0;  // the server's next sequence number
    std::uint16_t round = 0;
    State state = State::free;
  };
  static_assert(sizeof(Entry) == 16);
  // An acknowledgment says of what; the last one comes when the place is free already.
  enum class Say : std::uint8_t { syn, ack_syn, hello, ack_answer, fin, ack_fin };
  struct Waiting {
    std::uint32_t place = 0;
    std::uint16_t round = 0;
    Say what = Say::syn;
    std::uint8_t piece = 0;  // of the hello
  };
  static constexpr std::size_t waiting_max = std::size_t{1} << 16U;

  [[nodiscard]] bool is_free(std::uint64_t connection, std::uint64_t now) noexcept;
  [[nodiscard]] std::size_t pass_over_taken(std::uint64_t now) noexcept;
  void say(std::uint32_t place, Say what, std::uint8_t piece = 0) noexcept;
  void close(std::uint32_t place, std::uint64_t now) noexcept;
  void close_oldest(std::uint64_t now) noexcept;
  void take_syn_ack(std::uint32_t place, std::uint64_t now, const TcpSegment& segment) noexcept;
  void take_answer(std::uint32_t place, std::uint64_t now, const TcpSegment& segment) noexcept;
  void take_fin(std::uint32_t place, const TcpSegment& segment) noexcept;
  void take_reset(Entry& entry) noexcept;
  void time_out(Entry& entry) noexcept;
  [[nodiscard]] bool is_in_its_place(std::uint64_t connection) const noexcept;
  [[nodiscard]] bool is_under_way(std::uint64_t connection) const noexcept;
  // Rises with the round: a new connection is told from an old one by whoever remembers it (RFC 6191).
  [[nodiscard]] std::uint32_t first_sequence(std::uint32_t place, std::uint16_t round) const noexcept;
  [[nodiscard]] std::uint64_t hello_number(std::uint32_t place, std::uint16_t round) const noexcept {
    return std::uint64_t{round} * table_.size() + place;
  }
  [[nodiscard]] std::size_t hello_bytes(std::uint32_t place, std::uint16_t round) const noexcept {
    return hellos_.bytes(hello_number(place, round));
  }
  // What a waiting segment says and how much payload it has, which is written; no flags: it is not wanted any more.
  [[nodiscard]] TcpWords compose(const Waiting& waiting, std::uint64_t now, std::uint8_t* bytes,
                                 std::size_t& payload_bytes) noexcept;
  [[nodiscard]] std::size_t write_hello(const Waiting& waiting, std::uint8_t* payload, bool& last) noexcept;
  [[nodiscard]] std::uint64_t nanoseconds(std::uint64_t cycles) const noexcept {
    return static_cast<std::uint64_t>(static_cast<double>(cycles) * nanoseconds_a_cycle_);
  }

  const ConnectOptions options_;
  const dataplane::MacAddress source_;
  const dataplane::MacAddress destination_;
  const double nanoseconds_a_cycle_;
  const std::uint64_t timeout_cycles_;
  const std::size_t segment_bytes_max_;
  Endpoints clients_;
  ClientHellos hellos_;
  std::vector<Entry> table_;
  std::vector<Waiting> waiting_;  // a ring
  std::size_t waiting_first_ = 0;
  std::size_t waiting_count_ = 0;
  std::vector<std::uint8_t> hello_;     // one of them whole, of which pieces are sent
  std::uint64_t next_ = 0;              // connection
  std::uint64_t passed_over_ = 0;       // places in a row before it that were taken
  std::uint64_t oldest_handshake_ = 0;  // none before it is under way
  std::uint64_t oldest_open_ = 0;       // none before it is open
  std::size_t swept_ = 0;               // places that close_some() has seen
  std::uint64_t under_way_ = 0;
  std::uint64_t closing_ = 0;
  ConnectReport report_;
};

}  // namespace sallyport::pktgen
