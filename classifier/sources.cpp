#include "classifier/sources.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>

#include "classifier/prefix_walk.h"

namespace sallyport::classifier {

namespace {

const config::Labels no_labels;

struct Item {
  enum class Kind : std::uint8_t { workload, name_space, egress_source, nat_pool };
  Prefix prefix;
  Kind kind = Kind::workload;
  std::uint32_t place = 0;
};

// Of equal prefixes the walk lets the last one on top, so what stands first in the file is listed last.
std::vector<Item> items_of(const config::PolicyModel& model) {
  std::vector<Item> items;
  const auto add = [&](Item::Kind kind, std::size_t place, const Prefix& prefix) {
    items.push_back({prefix, kind, static_cast<std::uint32_t>(place)});
  };
  for (std::size_t i = model.workloads.size(); i-- > 0;)
    for (const auto& address : model.workloads[i].addresses) add(Item::Kind::workload, i, address.prefix);
  for (std::size_t i = model.namespaces.size(); i-- > 0;)
    for (const auto& address : model.namespaces[i].addresses) add(Item::Kind::name_space, i, address.prefix);
  for (std::size_t i = 0; i < model.egresses.size(); ++i)
    for (const Prefix& source : model.egresses[i].sources) add(Item::Kind::egress_source, i, source);
  for (std::size_t i = 0; i < model.ip_pools.size(); ++i)
    if (model.ip_pools[i].nat_outgoing) add(Item::Kind::nat_pool, i, model.ip_pools[i].cidr);
  return items;
}

}  // namespace

// Keeps what holds the visited prefix: the innermost workload and namespace, all egresses, any NAT pool.
class Sources::Walk {
 public:
  Walk(Sources& sources, const config::PolicyModel& model, const std::vector<Item>& items, Identities& identities)
      : sources_(sources), model_(model), items_(items), identities_(identities) {
    lists_.emplace(std::vector<std::uint32_t>{}, 0);
    record_places_.emplace(Key{SourceRecord::none, SourceRecord::none, 0, false}, 0);
  }

  // The tag is the place of an item.
  void enter(std::uint32_t tag) {
    const Item& item = items_[tag];
    switch (item.kind) {
      case Item::Kind::workload:
        workloads_.push_back(item.place);
        break;
      case Item::Kind::name_space:
        namespaces_.push_back(item.place);
        break;
      case Item::Kind::egress_source:
        list_is_fresh_ = false;
        ++egresses_[item.place];
        break;
      case Item::Kind::nat_pool:
        ++nat_pools_;
        break;
    }
  }

  void leave(std::uint32_t tag) {
    const Item& item = items_[tag];
    switch (item.kind) {
      case Item::Kind::workload:
        workloads_.pop_back();
        break;
      case Item::Kind::name_space:
        namespaces_.pop_back();
        break;
      case Item::Kind::egress_source:
        list_is_fresh_ = false;
        if (--egresses_[item.place] == 0) egresses_.erase(item.place);
        break;
      case Item::Kind::nat_pool:
        --nat_pools_;
        break;
    }
  }

  void visit(const Prefix& prefix) {
    const std::uint32_t workload = workloads_.empty() ? SourceRecord::none : workloads_.back();
    const bool named = workload != SourceRecord::none;
    const std::uint32_t name_space = named || namespaces_.empty() ? SourceRecord::none : namespaces_.back();
    entries_.push_back({prefix, record_place({workload, name_space, egress_list(), nat_pools_ > 0})});
  }

  [[nodiscard]] std::vector<PrefixTrie::Entry> take() && { return std::move(entries_); }

 private:
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, bool>;

  std::uint32_t egress_list() {
    if (list_is_fresh_) return list_;
    list_is_fresh_ = true;
    std::vector<std::uint32_t> list;
    for (const auto& [place, count] : egresses_) list.push_back(place);
    const auto [known, is_new] = lists_.emplace(list, static_cast<std::uint32_t>(sources_.egress_lists_.size()));
    if (is_new) sources_.egress_lists_.push_back(std::move(list));
    return list_ = known->second;
  }

  std::uint32_t record_place(const Key& key) {
    const auto [known, is_new] = record_places_.emplace(key, static_cast<std::uint32_t>(sources_.records_.size()));
    if (is_new) sources_.records_.push_back(make_record(key));
    return known->second;
  }

  SourceRecord make_record(const Key& key) {
    SourceRecord record;
    std::tie(record.workload_place, record.namespace_place, record.egress_list, record.nat_outgoing) = key;
    if (record.workload_place != SourceRecord::none) {
      const config::Workload& workload = model_.workloads[record.workload_place];
      record.namespace_name = identities_.intern(workload.namespace_name);
      record.workload = identities_.intern(workload.name);
      record.group = sources_.group_of(workload.namespace_name, workload.labels);
    } else if (record.namespace_place != SourceRecord::none) {
      const std::string& name = model_.namespaces[record.namespace_place].name;
      record.namespace_name = identities_.intern(name);
      record.group = sources_.group_of(name, no_labels);
    }
    return record;
  }

  Sources& sources_;
  const config::PolicyModel& model_;
  const std::vector<Item>& items_;
  Identities& identities_;
  std::vector<std::uint32_t> workloads_;
  std::vector<std::uint32_t> namespaces_;
  std::map<std::uint32_t, std::uint32_t> egresses_;  // place -> how many of its sources hold the prefix
  std::uint32_t nat_pools_ = 0;
  std::uint32_t list_ = 0;  // of egresses_, while fresh
  bool list_is_fresh_ = true;
  std::map<std::vector<std::uint32_t>, std::uint32_t> lists_;
  std::map<Key, std::uint32_t> record_places_;
  std::vector<PrefixTrie::Entry> entries_;
};

Sources::Sources(const config::PolicyModel& model, Identities& identities)
    : records_(1), groups_{{{}, &no_labels, &no_labels}}, egress_lists_(1) {
  for (const config::Namespace& name_space : model.namespaces)
    namespace_labels_.emplace(name_space.name, name_space.labels)
        .first->second.insert_or_assign("kubernetes.io/metadata.name", name_space.name);
  const std::vector<Item> items = items_of(model);
  PrefixWalk prefixes;
  for (std::size_t i = 0; i < items.size(); ++i) prefixes.add(items[i].prefix, static_cast<std::uint32_t>(i));
  Walk walk(*this, model, items, identities);
  std::move(prefixes).walk(walk);
  trie_ = PrefixTrie::from_prefixes(std::move(walk).take());
}

const config::Labels& Sources::namespace_labels(const std::string& name) {
  const auto [known, is_new] = namespace_labels_.try_emplace(name);
  if (is_new) known->second.emplace("kubernetes.io/metadata.name", name);
  return known->second;
}

std::uint32_t Sources::group_of(const std::string& namespace_name, const config::Labels& labels) {
  const auto [known, is_new] =
      group_places_.emplace(std::pair(namespace_name, labels), static_cast<std::uint32_t>(groups_.size()));
  if (is_new) groups_.push_back({namespace_name, &namespace_labels(namespace_name), &known->first.second});
  return known->second;
}

const SourceRecord& Sources::record(const IpAddress& address) const noexcept {
  const std::uint32_t place = trie_.lookup(address);
  return records_[place == PrefixTrie::none ? 0 : place];
}

Source Sources::find(const IpAddress& address) const noexcept {
  const SourceRecord& found = record(address);
  return {found.namespace_name, found.workload, static_cast<std::uint32_t>(&found - records_.data())};
}

}  // namespace sallyport::classifier
