// Every frame of a capture that a generator can send, looked up once. What is no Ethernet but IP of another link layer
// gets an Ethernet header.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/address.h"
#include "src/capture_reader.h"

namespace sallyport::pktgen {

class CapturedFrames {
 public:
  struct Entry {
    std::uint64_t time_ns = 0;  // since the first one; never runs back
    std::span<const std::uint8_t> bytes;
    std::uint16_t ethertype = 0;  // of what has no Ethernet header; 0: it has

    [[nodiscard]] std::size_t frame_bytes() const noexcept;
  };
  explicit CapturedFrames(const std::string& path);
  CapturedFrames(const CapturedFrames&) = delete;
  CapturedFrames& operator=(const CapturedFrames&) = delete;

  // Leaves out what the devices cannot send.
  void drop_larger_than(std::size_t frame_bytes);

  [[nodiscard]] const std::vector<Entry>& all() const noexcept { return all_; }
  // Left out: frames of a link layer that is not known, too short for theirs, or too large.
  [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }
  // Left out: ARP, neighbour discovery and the like. They end at the gateway or the generator, who speak them anyway.
  [[nodiscard]] std::uint64_t control() const noexcept { return control_; }
  [[nodiscard]] std::uint64_t duration_ns() const noexcept { return all_.empty() ? 0 : all_.back().time_ns; }
  [[nodiscard]] bool any_address_in(const Prefix& block) const noexcept;
  // What was wrong with the file; what stood before that place is there.
  [[nodiscard]] const std::optional<CaptureError>& error() const noexcept { return reader_.error(); }

 private:
  void add(const CapturedFrame& frame);
  [[nodiscard]] std::uint64_t time_of(const CapturedFrame& frame) noexcept;

  CaptureReader reader_;  // holds the bytes
  std::vector<Entry> all_;
  std::optional<std::uint64_t> first_ns_;
  std::uint64_t latest_ns_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t control_ = 0;
};

}  // namespace sallyport::pktgen
