// The gateway a second time: slow, obvious, maps and plain deadlines. Answers what becomes of every packet, byte by
// byte, as docs/NAT.md and the RFCs it names want it. Shares with the dataplane the values that describe a site and the
// reasons of drop.h; verdicts and egresses are the policy oracle's.
//
// Where the rules leave the gateway a choice (an address of a pool, a free port, when exactly the memory of an expired
// flow comes back), the model looks what was chosen, throws NotPermitted if the rules do not permit it, and adopts it.
// From there on nothing is left to choice.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "config/policy_model.h"
#include "dataplane/pipeline.h"
#include "dataplane/routing.h"
#include "policy_model_oracle.h"
#include "wire_model.h"

namespace sallyport::model {

inline constexpr unsigned inside = 0, outside = 1;

struct NotPermitted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where the gateway stands.
struct Site {
  dataplane::PipelineSettings settings;  // port 0 inside, port 1 outside
  std::vector<dataplane::RouteEntry> routes;
  std::vector<dataplane::NeighbourEntry> neighbours;
  std::vector<dataplane::LocalAddress> locals;
};

// A flow as its client sees it.
struct FlowName {
  std::uint8_t protocol = 0;
  End client, server;
  friend auto operator<=>(const FlowName&, const FlowName&) = default;
};
[[nodiscard]] std::string to_string(const FlowName& name);

// What the other gateway has made of the packet, where it had a choice.
struct Chosen {
  std::function<std::optional<End>(const FlowName&)> translation;  // nothing: it has no such flow
  std::function<bool(Drop)> dropped;
};

struct Outcome {
  std::array<std::vector<Bytes>, 2> sent, kernel;  // by port
  std::map<Drop, unsigned> dropped;                // as many as were received
  // Of what is sent: fragments of one datagram, which the gateway may identify as it likes. Places in `sent`.
  std::vector<std::pair<unsigned, std::size_t>> identified_freely;
};

class GatewayModel {
 public:
  explicit GatewayModel(Site site) : site_(std::move(site)) {}

  void load(std::shared_ptr<const config::PolicyModel> policy);
  // Milliseconds; flows whose time has come end.
  [[nodiscard]] Outcome advance(std::uint64_t now);
  [[nodiscard]] Outcome receive(unsigned port, const Bytes& frame, const Chosen& chosen);

  // When the next flow ends if nothing happens; for tests that go there.
  [[nodiscard]] std::optional<std::uint64_t> next_deadline() const;
  [[nodiscard]] std::size_t flows() const { return flows_.size(); }

 private:
  // Expired flows lie about until the gateway has found the time to clear them away.
  static constexpr std::uint64_t clearing_ms = 512;

  enum class TcpState : std::uint8_t {
    nothing,
    syn_client,
    syn_both,
    established,
    fin_client,
    fin_server,
    closing,
    reset,
    syn_crossed,
    syn_server,   // it opens
    syn_answered  // by the client
  };
  // By direction: what a side has said.
  enum Direction : std::uint8_t { to_server = 0, to_client = 1 };
  struct Spoken {
    bool at_all = false;
    std::optional<std::uint32_t> end;    // the number after the last byte
    std::optional<std::uint32_t> acked;  // the highest acknowledgment
    std::uint32_t window = 0;
    unsigned shift = 0;
  };
  struct Flow {
    FlowName name;
    std::optional<End> egress;  // nothing: untranslated
    bool denied = false;
    bool host_unreachable = false;  // denied for want of an address or a port
    bool known_outside = false;
    bool hairpin = false;
    bool midstream = false;
    bool uninvited = false;  // from outside through a mapping, and the client has said nothing or resets alone
    std::uint32_t generation = 0;
    std::uint64_t seen = 0;
    std::uint64_t cleared_from = 0;  // expired: it was cleared away no sooner, once noticed; 0: not noticed yet
    std::uint64_t kept_until = 0;    // denied later on: it is remembered at least so long
    std::array<unsigned, 2> packets{};
    TcpState tcp = TcpState::nothing;
    std::array<Spoken, 2> spoken;
    std::uint32_t first_byte = 0;
    bool unanswered = false;  // it is the word of the client's SYN, of which there may be several
  };
  // An outside endpoint that one inside endpoint has towards all servers.
  using OutsideEndpoint = std::pair<std::uint8_t, End>;  // protocol, egress address and port
  struct Mapping {
    End client;
    std::set<FlowName> flows;
    std::uint64_t refreshed = 0;
    std::uint64_t freed_from = 0, freed_until = 0;  // without flows: when the last one ended
  };
  struct Source {
    std::set<FlowName> flows;
    std::vector<IpAddress> paired;  // the latest first
    bool certain = true;            // else it may have been forgotten while no flow lived
  };
  struct Packet {
    Bytes frame;
    unsigned port = inside;
    bool hairpin = false;
    Reading is = {};
    unsigned weight = 1;               // packets received for it
    std::size_t largest_fragment = 0;  // in bytes; 0: it came whole
    std::uint32_t fragment_identification = 0;
    bool renumbered = false;  // IPv6: its pieces leave under an egress address
    [[nodiscard]] bool from_inside() const { return port == inside && !hairpin; }
  };
  // Maybe: by a flow whose time has come, and nobody knows whether the gateway has noticed.
  enum class Taken : std::uint8_t { no, maybe, yes };
  // A datagram of which not all has come.
  struct Datagram {
    std::uint64_t since = 0;
    bool poisoned = false;  // by pieces that overlap
    std::optional<std::size_t> total = {};
    std::map<std::size_t, Packet> pieces = {};  // by offset
  };
  struct Waiting {
    std::uint64_t since = 0;
    std::vector<Packet> packets;
  };
  using Neighbour = std::pair<unsigned, IpAddress>;
  using DatagramName = std::tuple<unsigned, IpAddress, IpAddress, std::uint8_t, std::uint32_t>;
  struct PortKind {
    unsigned first, last;
    [[nodiscard]] bool has(unsigned port) const { return port >= first && port <= last; }
    [[nodiscard]] unsigned size() const { return last - first + 1; }
  };

  // ---- the way of a packet: gateway_model.cpp ----
  void handle(Packet packet);
  void handle_flow_packet(Packet& packet);
  void handle_error(Packet& packet);
  void without_flow(Packet& packet);
  void open(Packet& packet);
  [[nodiscard]] bool opens_from_outside(Packet& packet);
  void from_client(Packet& packet, Flow& flow);
  void from_server(Packet& packet, Flow& flow);
  // After a reload. False: the packet has ended, or was handled otherwise.
  [[nodiscard]] bool asked_again(Packet& packet, Flow& flow, Direction direction);
  // False: the new policy denies it; or one that was denied is over.
  [[nodiscard]] bool goes_on(Flow& flow);
  void forward(Packet& packet, const Flow& flow, Direction direction);
  void forward_error(Packet& packet, const Quote& quote, const Flow& flow, Direction direction);
  [[nodiscard]] bool may_leave(Packet& packet, const IpAddress& destination, Direction direction, dataplane::Hop& hop);
  void send(Packet& packet, const dataplane::Hop& hop);
  [[nodiscard]] bool must_cut(const Packet& packet, const dataplane::Hop& hop) const;
  // Or it waits for its neighbour, who never answers here.
  void send_frame(const dataplane::Hop& hop, const Bytes& ip_packet, unsigned weight);
  void wait_for_outside_syn(const Packet& packet);
  void give_up_waiting();
  void drop(const Packet& packet, Drop why) {
    if (packet.weight != 0) outcome_.dropped[why] += packet.weight;
  }
  void to_kernel(const Packet& packet);
  [[nodiscard]] bool is_martian(const Packet& packet, Drop& why) const;
  [[nodiscard]] bool fails_source_check(const Packet& packet) const;
  [[nodiscard]] static bool is_for_all_on_link(const IpAddress& address);
  [[nodiscard]] bool is_local(const IpAddress& address) const;
  [[nodiscard]] bool is_ours(const IpAddress& address) const;  // an egress address of the policy
  [[nodiscard]] dataplane::Hop next_hop(const IpAddress& destination, Direction direction) const;
  [[nodiscard]] Question question(const FlowName& name) const;

  // ---- fragments: gateway_model_fragments.cpp ----
  [[nodiscard]] bool may_wait(const Packet& piece);
  void collect(Packet& piece);
  [[nodiscard]] static std::optional<Drop> impossible(const Packet& piece);
  void drop_pieces(const Datagram& datagram, Drop why);
  void assemble(Datagram datagram);
  void expire_datagrams();

  // ---- what the gateway says itself: gateway_model_answers.cpp ----
  void refuse(const Packet& packet);
  void refuse_denied(const Packet& packet, const Flow& flow);
  void refuse_removed(const Packet& packet, const Flow& flow, Direction direction);
  bool may_say_error(const IpAddress& to);
  void send_icmp(const Packet& about, unsigned type4, unsigned code4, unsigned type6, unsigned code6,
                 std::uint32_t argument = 0);
  void send_host_unreachable(const Packet& about) { send_icmp(about, 3, 1, 1, 3); }
  void send_time_exceeded(const Packet& about) { send_icmp(about, 11, 0, 3, 0); }
  void send_back(const Packet& like, Bytes frame);
  void clamp_segment_size(Packet& packet, unsigned out) const;

  // ---- flows and time: gateway_model_flows.cpp ----
  [[nodiscard]] std::uint64_t timeout(const Flow& flow) const;
  [[nodiscard]] bool is_alive(const Flow& flow) const { return now_ < flow.seen + timeout(flow); }
  [[nodiscard]] Flow* find(const FlowName& name);
  // The same without ending it: of an error, which is no packet of the flow.
  [[nodiscard]] Flow* peek(const FlowName& name);
  [[nodiscard]] Flow* find_answered(const Packet& packet);
  Flow& enter(Flow flow, Direction direction);
  void end(const FlowName& name, std::uint64_t from, std::uint64_t until);
  void end(const FlowName& name) { end(name, now_, now_); }
  // One whose time had come: by now the gateway has noticed.
  void end_noticed(const FlowName& name);
  void count(Flow& flow, Direction direction);
  [[nodiscard]] bool follow_tcp(const Packet& packet, Flow& flow, Direction direction);
  [[nodiscard]] bool track_tcp(const Packet& packet, Flow& flow, Direction direction);
  [[nodiscard]] static bool reset_counts(const Packet& packet, const Flow& flow, Direction direction);
  static void acknowledge(const Reading& is, Spoken& spoken, Spoken& other);
  [[nodiscard]] static std::uint32_t believed(const Flow& flow, const Spoken& other);
  [[nodiscard]] static bool is_nobody_s_syn(const Reading& segment, const Flow& flow, Direction direction);
  [[nodiscard]] static TcpState after(const Flow& flow, const Reading& segment, Direction direction);
  [[nodiscard]] static bool begins_anew(const Packet& packet, const Flow& flow);

  // ---- translation: gateway_model_nat.cpp ----
  // Nothing: refused as `why`.
  [[nodiscard]] std::optional<Flow> translated(Flow flow, Drop& why);
  [[nodiscard]] bool use_mapping(Flow& flow, const OutsideEndpoint& endpoint);
  [[nodiscard]] std::vector<IpAddress> permitted_addresses(const IpAddress& source,
                                                           const std::vector<IpAddress>& pool) const;
  void end_mappings_instead_of(const OutsideEndpoint& endpoint, const End& client);
  void check_port(const Flow& flow, std::uint16_t port) const;
  [[nodiscard]] Taken taken(const Flow& flow, const End& egress) const;
  [[nodiscard]] bool possibly_exhausted(const Flow& flow, const IpAddress& egress) const;
  [[nodiscard]] PortKind ports_for(const FlowName& name, const IpAddress& egress) const;
  [[nodiscard]] bool maps_endpoints(std::uint8_t protocol) const;
  [[nodiscard]] const OutsideEndpoint* mapping_of(const Flow& flow, const IpAddress& egress) const;
  [[nodiscard]] bool is_alive(const Mapping& mapping) const;
  // Its client's for as long as its port rests.
  [[nodiscard]] bool is_kept(const Mapping& mapping) const;
  [[nodiscard]] Taken is_open(const Mapping& mapping) const;
  [[nodiscard]] bool is_alive(const Source& source) const;
  [[nodiscard]] std::uint64_t rest_ms() const;
  [[nodiscard]] Taken knows_server(const Mapping& mapping, const IpAddress& server) const;
  [[nodiscard]] Taken may_hairpin(const FlowName& name) const;
  void translate(Packet& packet, const Flow& flow, Direction direction) const;

  Site site_;
  std::shared_ptr<const config::PolicyModel> policy_;
  std::set<IpAddress> egress_addresses_;  // of the policy
  std::uint32_t generation_ = 0;
  std::uint64_t now_ = 0;
  std::map<FlowName, Flow> flows_;
  std::map<FlowName, FlowName> outside_;  // client: the egress endpoint -> the flow's name
  std::map<OutsideEndpoint, Mapping> mappings_;
  std::map<IpAddress, Source> sources_;
  std::map<std::pair<IpAddress, std::vector<IpAddress>>, IpAddress> picked_;  // what a source got of a pool
  std::map<DatagramName, Datagram> datagrams_;
  std::map<Neighbour, Waiting> waiting_;
  std::deque<std::pair<std::uint64_t, Packet>> unsolicited_;  // SYNs, and when they came
  std::uint64_t errors_since_ = 0;
  unsigned errors_said_ = 0;
  std::map<IpAddress, unsigned> errors_said_to_;
  // Of the packet at hand.
  const Chosen* chosen_ = nullptr;
  Outcome outcome_;
  std::deque<Packet> again_;
};

}  // namespace sallyport::model
