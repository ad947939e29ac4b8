// A random place for a gateway, random policies for it, and what happens there: packets of a few clients and servers,
// so that everything meets everything; answers and ICMP errors made of what left before; broken ones; time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "config/policy_model.h"
#include "gateway_model.h"
#include "wire_model.h"

namespace sallyport::model {

struct Arrival {
  unsigned port = inside;
  Bytes frame;
};

class RandomTraffic {
 public:
  explicit RandomTraffic(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] Site site();
  // Nothing in it asks for a name.
  [[nodiscard]] std::shared_ptr<const config::PolicyModel> policy();
  [[nodiscard]] Arrival packet();
  // Milliseconds until the next packet: mostly few, or close to the next deadline, or long.
  [[nodiscard]] std::uint64_t pause(std::uint64_t now, const GatewayModel& model);
  [[nodiscard]] bool chance_in(std::uint32_t of) { return below(of) == 0; }
  // What left by a port: it will be answered, quoted and sent again.
  void saw(unsigned port, const Bytes& frame);

 private:
  [[nodiscard]] std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  [[nodiscard]] bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <typename Choices>
  [[nodiscard]] auto pick(const Choices& choices) {
    return *(std::begin(choices) + below(static_cast<std::uint32_t>(std::size(choices))));
  }

  // ---- the place ----
  void choose_nat(dataplane::PipelineSettings& settings);
  void add_networks(config::PolicyModel& policy);
  void add_routes(config::PolicyModel& policy);
  void add_egresses(config::PolicyModel& policy);

  // ---- packets: random_packets.cpp ----
  [[nodiscard]] Bytes from_client();
  [[nodiscard]] Bytes to_ourselves();
  [[nodiscard]] Bytes stray();
  [[nodiscard]] Bytes answer();
  [[nodiscard]] Bytes error(unsigned from);
  [[nodiscard]] Bytes nobody_s();
  void spoil(Bytes& frame);
  void unburden(Bytes& frame) const;
  // Instead of the packet its pieces arrive, soon, in any order, with something wrong now and then.
  [[nodiscard]] bool arrives_in_pieces(const Arrival& arrival);
  [[nodiscard]] FlowName new_flow();
  [[nodiscard]] Bytes datagram(const FlowName& name, bool from_client);
  [[nodiscard]] Bytes segment(const FlowName& name, bool from_client);
  [[nodiscard]] Bytes payload();
  [[nodiscard]] IpAddress client(Family family);
  [[nodiscard]] IpAddress server(Family family);
  [[nodiscard]] IpAddress egress(Family family);
  [[nodiscard]] std::uint16_t client_port();
  [[nodiscard]] std::uint16_t server_port();
  [[nodiscard]] Bytes link() const;
  [[nodiscard]] Bytes finished(Bytes frame, Layers at);
  // Between the IP header and the transport.
  void add_options(Bytes& frame, Layers& at);
  void add_extension_headers(Bytes& frame, Layers& at);

  std::mt19937_64 random_;
  std::deque<FlowName> spoken_;            // by clients, as they see it
  std::array<std::deque<Bytes>, 2> seen_;  // what left by each port, the latest last
  std::vector<Arrival> pieces_;            // to come
};

}  // namespace sallyport::model
