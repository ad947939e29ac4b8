#include "config/import/calico_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "config/document/in_quotes.h"
#include "config/host_name.h"
#include "config/import/calico_labels.h"
#include "config/import/calico_selector.h"
#include "config/import/importer.h"
#include "config/import/named_ports.h"

namespace sallyport::config {
namespace {

struct CalicoProtocol {
  std::string_view name;
  std::string_view number;
  Protocol protocol;
  std::optional<Family> family;
};
constexpr auto calico_protocols = std::to_array<CalicoProtocol>({
    {"TCP", "6", Protocol::tcp, std::nullopt},
    {"UDP", "17", Protocol::udp, std::nullopt},
    {"SCTP", "132", Protocol::sctp, std::nullopt},
    {"ICMP", "1", Protocol::icmp, Family::v4},
    {"ICMPv6", "58", Protocol::icmp, Family::v6},
});

const CalicoProtocol* protocol_named(std::string_view text) noexcept {
  const auto* found = std::find_if(calico_protocols.begin(), calico_protocols.end(), [&](const CalicoProtocol& each) {
    return each.number == text ||
           (each.name.size() == text.size() && std::equal(text.begin(), text.end(), each.name.begin(),
                                                          [](char a, char b) { return (a | 0x20) == (b | 0x20); }));
  });
  return found == calico_protocols.end() ? nullptr : found;
}

// The prefix without the holes, as prefixes: halves of it, and halves of these, as long as a hole is in them.
void add_without(const Prefix& prefix, const std::vector<Prefix>& holes, std::vector<Prefix>& into) {
  std::vector<Prefix> touching;
  for (const Prefix& hole : holes) {
    if (hole.contains(prefix)) return;
    if (prefix.contains(hole)) touching.push_back(hole);
  }
  if (touching.empty()) {
    into.push_back(prefix);
    return;
  }
  Prefix half{prefix.address, static_cast<std::uint8_t>(prefix.length + 1)};
  add_without(half, touching, into);
  half.address.bytes[prefix.length / 8U] |= static_cast<std::uint8_t>(0x80U >> (prefix.length % 8U));
  add_without(half, touching, into);
}

class RuleReader {
 public:
  RuleReader(const YamlNode& node, const std::string& policy_namespace, bool global_policy, const Import& known,
             const ObjectReport& report)
      : node_(node),
        namespace_(policy_namespace),
        global_(global_policy),
        known_(known),
        report_(report),
        fields_(&node, report) {}

  std::optional<CalicoRule> read() {
    fields_.without_meaning({"metadata"});
    const std::string action = fields_.text("action").value_or("");
    const bool allows = action == "Allow" || action == "allow";
    const bool denies = action == "Deny" || action == "deny";
    read_protocol();
    read_source();
    Fields destination(fields_.find("destination"), report_);
    read_destination(destination);
    read_ports(destination);
    destination_known_ = destination.whole();
    whole_ = whole_ && destination_known_ && fields_.whole();
    for (const char* part : {"icmp", "notICMP", "http"}) lose(fields_, part, "is not asked here");
    if (!allows && !denies) {
      report_.lost(node_.at, action == "Log"
                                 ? "action Log: flows are recorded anyway; the rule was left out"
                                 : fmt::format("action {}: is neither Allow nor Deny; the rule was left out, and "
                                               "allows nothing",
                                               in_quotes(action)));
      return std::nullopt;
    }
    if (allows) return allowing();
    return denying();
  }

 private:
  // A condition that cannot be kept.
  void lose(Fields& fields, std::string_view key, std::string_view why) {
    if (fields.lost(key, why)) whole_ = false;
  }

  // ---- protocol

  void read_protocol() {
    if (const auto version = fields_.number("ipVersion", 4, 6)) {
      family_ = version == 4 ? Family::v4 : Family::v6;
      whole_ = whole_ && version != 5;
    }
    const YamlNode* written = fields_.find("protocol");
    const YamlNode* excluded = fields_.find("notProtocol");
    for (const YamlNode* node : {written, excluded}) {
      if (node == nullptr) continue;
      const CalicoProtocol* protocol = protocol_named(node->text);
      if (protocol == nullptr) {
        report_.lost(node->at, fmt::format("protocol {} is not known here", in_quotes(node->text)));
        whole_ = false;
      } else if (node == written) {
        protocol_ = protocol->protocol;
        if (protocol->family) family_ = protocol->family;
      } else {
        PortSpace one;
        one.add(protocol->protocol);
        ports_ = ports_.without(one);
      }
    }
    if (!protocol_) return;
    ports_ = PortSpace{};
    ports_.add(*protocol_);
  }

  void read_source() {
    Fields source(fields_.find("source"), report_);
    for (const char* key : {"nets", "notNets", "selector", "notSelector", "namespaceSelector", "ports", "notPorts",
                            "serviceAccounts", "services", "domains"}) {
      lose(source, key, "of the source: the policy's selector alone chooses sources here");
    }
    whole_ = whole_ && source.whole();
  }

  // ---- ports

  void read_ports(Fields& destination) {
    const std::vector<YamlNode>& ports = destination.list("ports");
    const std::vector<YamlNode>& excluded = destination.list("notPorts");
    if (ports.empty() && excluded.empty()) return;
    if (!protocol_ || *protocol_ == Protocol::icmp) {
      report_.lost(node_.at, "ports without a protocol that has some");
      whole_ = false;
      return;
    }
    if (!ports.empty()) ports_ = space_of(ports);
    if (!excluded.empty()) ports_ = ports_.without(space_of(excluded));
  }

  PortSpace space_of(const std::vector<YamlNode>& nodes) {
    PortSpace space;
    for (const YamlNode& node : nodes) {
      const std::size_t colon = std::min(node.text.find(':'), node.text.size());
      std::uint16_t first = 0;
      std::uint16_t last = 0;
      const bool numbers = number(std::string_view(node.text).substr(0, colon), first) &&
                           number(std::string_view(node.text).substr(std::min(colon + 1, node.text.size())), last);
      if (colon == node.text.size() && number(node.text, first)) {
        space.add(*protocol_, {first, first});
      } else if (numbers && first <= last) {
        space.add(*protocol_, {first, last});
      } else {
        add_named(node, space);
      }
    }
    return space;
  }

  static bool number(std::string_view text, std::uint16_t& into) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size() && !text.empty();
  }

  void add_named(const YamlNode& node, PortSpace& space) {
    const auto numbers = pods_by_port(node.text, *protocol_, {}, namespace_, known_.cluster);
    for (const auto& [number, pods] : numbers) space.add(*protocol_, {number, number});
    if (numbers.size() == 1) return;
    report_.lost(node.at, fmt::format("port {} is {}", in_quotes(node.text),
                                      numbers.empty() ? "called so by no container of these files"
                                                      : "another number in other containers"));
    ports_known_ = ports_known_ && !numbers.empty();
    whole_ = false;
  }

  // ---- destination

  void read_destination(Fields& destination) {
    const YamlNode* selector = destination.find("selector");
    const YamlNode* namespaces = destination.find("namespaceSelector");
    for (const char* key : {"selector", "namespaceSelector"}) (void)destination.text(key);  // a list is none
    const std::vector<Prefix> nets = destination.prefixes("nets");
    const std::vector<Prefix> excluded = destination.prefixes("notNets");
    const std::vector<std::string> domains = destination.texts("domains");
    for (const char* key : {"notSelector", "serviceAccounts", "services"})
      lose(destination, key, "of the destination cannot be kept");
    const bool by_label = selector != nullptr || namespaces != nullptr;
    if (by_label && (!nets.empty() || !excluded.empty() || family_)) {
      report_.lost(node_.at, "a selector and addresses at once cannot be kept");
      whole_ = false;
    }
    if (by_label) {
      add_selected(selector, namespaces);
    } else if (!nets.empty() || !excluded.empty() || family_) {
      add_blocks(nets, excluded, destination.find("nets") != nullptr);
    } else if (!domains.empty()) {
      add_domains(domains);
    } else {
      // A list of which nothing could be read is not "anywhere".
      anywhere_ = destination.find("nets") == nullptr && destination.find("notNets") == nullptr &&
                  destination.find("domains") == nullptr;
    }
  }

  void add_blocks(std::vector<Prefix> nets, const std::vector<Prefix>& excluded, bool nets_given) {
    if (!nets_given) nets = {parse_prefix("0.0.0.0/0")->prefix, parse_prefix("::/0")->prefix};
    // Calico makes a rule for each family of which every list of it holds something.
    const auto is_excluded_from = [&](Family family) {
      return std::any_of(excluded.begin(), excluded.end(),
                         [&](const Prefix& hole) { return hole.address.family == family; });
    };
    for (const Prefix& net : nets) {
      if (family_ && net.address.family != *family_) continue;
      if (!excluded.empty() && !is_excluded_from(net.address.family)) {
        const bool v4 = net.address.family == Family::v4;
        report_.note(node_.at, fmt::format("notNets holds no prefix of {}, so the rule holds for {} alone, as there",
                                           v4 ? "IPv4" : "IPv6", v4 ? "IPv6" : "IPv4"));
        continue;
      }
      CidrBlock block{net, {}, node_.at};
      bool left = true;
      for (const Prefix& hole : excluded) {
        if (hole.contains(net)) left = false;
        if (net.contains(hole)) block.except.push_back(hole);
      }
      if (left) add(IpBlockPeer{std::move(block)});
    }
  }

  void add_domains(const std::vector<std::string>& domains) {
    DomainsPeer peer;
    for (const std::string& domain : domains) {
      if (parse_host_pattern(domain)) peer.domains.push_back(domain);
      if (!parse_host_pattern(domain))
        report_.lost(node_.at, fmt::format("domain {}: cannot be kept; left out", in_quotes(domain)));
    }
    if (!peer.domains.empty()) add(std::move(peer));
  }

  template <typename Kind>
  void add(Kind kind) {
    to_.emplace_back();
    to_.back().is = std::move(kind);
    to_.back().at = node_.at;
  }

  // A selector means pods and sets alike. Where these files hold only pods, or only sets, that it selects, it is said
  // of them.
  void add_selected(const YamlNode* selector, const YamlNode* namespaces) {
    const auto chosen = parse_calico_selector(selector == nullptr ? "" : selector->text);
    const auto spaces = parse_calico_namespaces(namespaces == nullptr ? "" : namespaces->text);
    if (!chosen || !spaces) {
      report_.lost(node_.at, chosen ? spaces.error : chosen.error);
      whole_ = false;
      return;
    }
    const bool global_only = (*chosen).global || (*spaces).global;
    std::vector<std::optional<Selector>> reach;
    if (namespaces != nullptr || global_) {
      for (const Selector& each : (*spaces).alternatives) reach.emplace_back(each);
    } else {
      reach.emplace_back(std::nullopt);
    }
    by_label_ = (*chosen).global || (!(*chosen).alternatives.empty() && (global_only || !reach.empty()));
    for (const Selector& each : (*chosen).alternatives) {
      const std::size_t before = to_.size();
      for (const auto& space : reach) {
        if (!global_only) add_pods(pod_peer(each, space), true);
      }
      add_sets(each, namespaces, global_only);
      if (to_.size() != before) continue;
      for (const auto& space : reach) add_pods(pod_peer(each, space), false);
      if (global_only) add(NetworkSetPeer{each});
    }
  }

  // Only where they are known to be somebody, if `known_only`.
  void add_pods(std::optional<PodPeer> peer, bool known_only) {
    if (!peer) return;
    Peer made;
    made.is = *peer;
    const bool known = std::any_of(known_.cluster.pods.begin(), known_.cluster.pods.end(),
                                   [&](const Pod& pod) { return selects_pod(made, namespace_, pod, known_.cluster); });
    if (known || !known_only) add(std::move(*peer));
  }

  // Sets in reach of a network_set peer are named by it, others by their addresses.
  void add_sets(const Selector& selector, const YamlNode* namespaces, bool global_only) {
    bool by_label = false;
    bool stranger = false;  // in reach, and not meant
    std::vector<const NetworkSet*> meant;
    for (const NetworkSet& set : known_.model.network_sets) {
      Labels labels = set.labels;
      if (!set.namespace_name.empty()) labels[calico_namespace_label] = set.namespace_name;
      if (!selects(selector, labels)) continue;
      const bool in_reach = set.namespace_name.empty() || set.namespace_name == namespace_;
      const bool is_meant = is_in_scope(set, namespaces, global_only);
      if (is_meant) meant.push_back(&set);
      by_label = by_label || (in_reach && is_meant);
      stranger = stranger || (in_reach && !is_meant);
    }
    const bool own_terms = selector.match_labels.contains(calico_namespace_label) ||
                           std::any_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                                       [](const SelectorTerm& term) { return term.key == calico_namespace_label; });
    by_label = by_label && !stranger && !own_terms;
    if (by_label) add(NetworkSetPeer{selector});
    for (const NetworkSet* set : meant) {
      const bool in_reach = set->namespace_name.empty() || set->namespace_name == namespace_;
      if (by_label && in_reach) continue;
      for (const LocatedPrefix& net : set->nets) add(IpBlockPeer{{net.prefix, {}, node_.at}});
    }
  }

  [[nodiscard]] bool is_in_scope(const NetworkSet& set, const YamlNode* namespaces, bool global_only) const {
    if (global_only) return set.namespace_name.empty();
    if (namespaces == nullptr) return global_ || set.namespace_name == namespace_;
    if (set.namespace_name.empty()) return false;
    const auto spaces = parse_calico_namespaces(namespaces->text);
    const auto& alternatives = (*spaces).alternatives;
    return std::any_of(alternatives.begin(), alternatives.end(), [&](const Selector& each) {
      return selects(each, known_.cluster.labels_of(set.namespace_name));
    });
  }

  // ---- the answer

  std::optional<CalicoRule> allowing() {
    if (!whole_ || ports_.empty() || (!anywhere_ && to_.empty())) {
      report_.lost(node_.at, "cannot be kept whole; the rule was left out, and allows nothing");
      return std::nullopt;
    }
    return CalicoRule{Allowed{anywhere_, std::move(to_), ports_}, std::nullopt};
  }

  std::optional<CalicoRule> denying() {
    if (!whole_) {
      report_.lost(node_.at, "cannot be kept whole; it denies everything that may match what is left of it");
      if (to_.empty() || !destination_known_) anywhere_ = true;
      if (ports_.empty() || !ports_known_) ports_ = PortSpace::everything();
    }
    const PeerAddresses addresses{known_.model, known_.cluster, namespace_};
    Denied denied{anywhere_, {}, ports_};
    for (const Peer& peer : to_) {
      const auto* block = std::get_if<IpBlockPeer>(&peer.is);
      if (block != nullptr) {
        add_without(block->block.cidr, block->block.except, denied.to);
      } else {
        for (const Prefix& prefix : addresses.of(peer)) denied.to.push_back(prefix);
      }
    }
    if (by_label_ && !anywhere_) check_selected(denied);
    return CalicoRule{std::nullopt, std::move(denied)};
  }

  // Denied are the addresses that these files hold.
  void check_selected(Denied& denied) {
    if (denied.to.empty()) {
      report_.lost(node_.at,
                   "whom its selector means is not in these files, so it denies every destination; give the network "
                   "sets and Pods, too");
      denied.anywhere = true;
    } else if (std::any_of(to_.begin(), to_.end(),
                           [](const Peer& peer) { return std::holds_alternative<PodPeer>(peer.is); })) {
      report_.note(node_.at, "denies the addresses that its pods have in these files; import again when they change");
    }
  }

  const YamlNode& node_;
  const std::string& namespace_;
  bool global_;
  const Import& known_;
  const ObjectReport& report_;
  Fields fields_;
  bool whole_ = true;
  bool destination_known_ = true;
  bool ports_known_ = true;
  bool anywhere_ = false;
  bool by_label_ = false;  // the destination is somebody whom a selector means
  std::vector<Peer> to_;
  PortSpace ports_ = PortSpace::everything();
  std::optional<Protocol> protocol_;
  std::optional<Family> family_;
};

}  // namespace

std::optional<CalicoRule> read_calico_rule(const YamlNode& node, const std::string& policy_namespace,
                                           bool global_policy, const Import& known, const ObjectReport& report) {
  if (node.kind != YamlNode::Kind::mapping) {
    report.lost(node.at, fmt::format("expected a rule, this is {}; left out", kind_of(node)));
    return std::nullopt;
  }
  return RuleReader(node, policy_namespace, global_policy, known, report).read();
}

}  // namespace sallyport::config
