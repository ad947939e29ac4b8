// Which external ports there are to choose from, and in which order they are tried (nat.md 4; RFC 6056 section 3.3.1).
//
// Ports are cut into pieces of 64, or of [nat] port_block; with several workers, piece p is worker p mod 128 mod N's,
// so that an answer's destination port tells whose flow it belongs to, and a device can be taught it (steering.h).
// Within its kind (below 1024, and the others) a worker counts its ports from 0 to size-1.
#pragma once

#include <cstdint>

#include "config/appliance_model.h"
#include "dataplane/steering.h"

namespace sallyport::dataplane {

inline constexpr std::uint32_t piece_ports_by_default = 64;

// A block of ports that is given to a sender belongs to the sender's worker.
[[nodiscard]] constexpr std::uint32_t piece_ports(const config::NatConfig& nat) noexcept {
  return nat.port_block != 0 ? nat.port_block : piece_ports_by_default;
}
[[nodiscard]] constexpr std::uint32_t port_owner(std::uint16_t port, std::uint32_t workers,
                                                 std::uint32_t piece = piece_ports_by_default) noexcept {
  return bucket_owner(port_bucket(port, piece), workers);
}

// Of the system ports (RFC 6335 section 6), port in host byte order.
[[nodiscard]] constexpr bool is_low_port(std::uint16_t port) noexcept { return port != 0 && port < 1024; }

class PortSlice {
 public:
  PortSlice(std::uint16_t first, std::uint16_t last, std::uint32_t worker, std::uint32_t workers,
            std::uint32_t piece = piece_ports_by_default) noexcept
      : first_(first),
        last_(last),
        worker_(worker),
        workers_(workers),
        piece_(piece),
        round_(worker < buckets ? (buckets - worker + workers - 1) / workers : 0) {
    size_ = count_below(std::uint32_t{last} + 1) - count_below(first);
  }

  [[nodiscard]] bool contains(std::uint16_t port) const noexcept {
    return port >= first_ && port <= last_ && (workers_ == 1 || port_owner(port, workers_, piece_) == worker_);
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  // Number `index` of the slice, index < size().
  [[nodiscard]] std::uint16_t at(std::uint32_t index) const noexcept {
    if (workers_ == 1) return static_cast<std::uint16_t>(first_ + index);
    index += count_below(first_);
    const std::uint32_t own = index / piece_;
    const std::uint32_t piece = own / round_ * buckets + own % round_ * workers_ + worker_;
    return static_cast<std::uint16_t>(piece * piece_ + index % piece_);
  }

 private:
  // How many ports of this worker are below `end`.
  [[nodiscard]] std::uint32_t count_below(std::uint32_t end) const noexcept {
    const std::uint32_t piece = end / piece_;
    const std::uint32_t bucket = piece % buckets;
    const std::uint32_t whole = piece / buckets * round_ + bucket / workers_ + (bucket % workers_ > worker_ ? 1 : 0);
    return whole * piece_ + (bucket % workers_ == worker_ ? end % piece_ : 0);
  }

  std::uint16_t first_;
  std::uint16_t last_;
  std::uint32_t worker_;
  std::uint32_t workers_;
  std::uint32_t piece_;
  std::uint32_t round_;  // its pieces of 128 that follow each other
  std::uint32_t size_ = 0;
};

// Low ports are given to low ports alone, and these get no others (RFC 4787 REQ-3): where the range has both, or is
// that of all others, and the worker has some of both: there are 16 pieces of low ones. Blocks are of any port.
struct PortKinds {
  PortKinds(const config::NatConfig& nat, std::uint32_t worker, std::uint32_t workers) noexcept
      : low(lowest(nat.port_range), 1023, worker, workers),
        high(nat.port_range.first, nat.port_range.last, worker, workers, piece_ports(nat)) {
    if (nat.port_block != 0 || !has_both(nat.port_range)) return;
    const PortSlice others(1024, nat.port_range.last, worker, workers);
    if (low.size() == 0 || others.size() == 0) return;
    apart = true;
    high = others;
  }
  [[nodiscard]] const PortSlice& of(std::uint16_t port) const noexcept {
    return apart && is_low_port(port) ? low : high;
  }

  PortSlice low;
  PortSlice high;  // not `apart`: of every kind
  bool apart = false;

 private:
  [[nodiscard]] static bool has_both(const config::PortRange& range) noexcept {
    return range.last >= 1024 && (range.first < 1024 || (range.first == 1024 && range.last == 65535));
  }
  [[nodiscard]] static std::uint16_t lowest(const config::PortRange& range) noexcept {
    return range.first < 1024 ? range.first : 1;
  }
};

}  // namespace sallyport::dataplane
