// The frames of `udp`: N flows, each packet stamped, so that it is known again whatever a translator did to its
// headers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/routing.h"
#include "pktgen/endpoints.h"
#include "pktgen/options.h"

namespace sallyport::pktgen {

// At the beginning of the payload, in the generator's own byte order: nobody else reads it.
struct Stamp {
  std::uint32_t magic = 0;  // of this run
  std::uint32_t sequence = 0;
  std::uint64_t cycles = 0;  // when it was sent
};
static_assert(sizeof(Stamp) == 16);

class UdpFrames {
 public:
  UdpFrames(const UdpOptions& options, const dataplane::MacAddress& source, const dataplane::MacAddress& destination);

  // Bytes of the smallest frame, its check sequence included: as RFC 2544 has it, or as headers of IPv6 and a stamp
  // take.
  [[nodiscard]] static constexpr std::uint32_t size_least(Family family) noexcept {
    return family == Family::v4 ? 64 : 84;
  }

  // Frame number `number` into `bytes`; how many bytes.
  [[nodiscard]] std::uint32_t write(std::uint64_t number, std::uint64_t now_cycles, std::uint8_t* bytes) noexcept;
  // The stamp of a frame of this run, else nothing.
  [[nodiscard]] std::optional<Stamp> read(std::span<const std::uint8_t> frame) const noexcept;

 private:
  // A frame with the sender's address and port left zero, and what its headers sum up to.
  struct Template {
    std::vector<std::uint8_t> bytes;
    std::uint64_t ip_sum = 0;
    std::uint64_t udp_sum = 0;
  };
  [[nodiscard]] Template make(std::uint32_t length, const dataplane::MacAddress& source,
                              const dataplane::MacAddress& destination) const;
  [[nodiscard]] std::size_t template_of(std::uint64_t number) const noexcept;
  [[nodiscard]] std::uint64_t flow_of(std::uint64_t number) noexcept;

  UdpOptions options_;
  Endpoints senders_;
  std::uint32_t magic_;
  std::vector<Template> templates_;
  std::vector<std::uint8_t> sizes_;  // which template, in turns
  std::uint64_t random_;
};

}  // namespace sallyport::pktgen
