// Mappings of a Kubernetes object, key by key.
//
// Whoever reads a mapping names every key that it may hold; the destructor reports the keys that nobody asked for, so
// that no field of an object is left out in silence. A null value counts as absent, as it does for the API server; an
// element of a list has to be something.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.h"
#include "config/import/object_report.h"
#include "config/import/yaml_document.h"

namespace sallyport::config {

// Readers of single values; what is wrong is reported and nothing answered.
[[nodiscard]] std::optional<std::string> read_text(const YamlNode& node, const ObjectReport& report);
[[nodiscard]] std::optional<std::int64_t> read_number(const YamlNode& node, std::int64_t least, std::int64_t most,
                                                      const ObjectReport& report);
[[nodiscard]] std::optional<bool> read_boolean(const YamlNode& node, const ObjectReport& report);
[[nodiscard]] std::optional<IpAddress> read_address(const YamlNode& node, const ObjectReport& report);
// One that a flow can leave under.
[[nodiscard]] std::optional<IpAddress> read_egress_address(const YamlNode& node, const ObjectReport& report);
[[nodiscard]] bool can_be_left_under(const AddressRange& range, const Location& at, const ObjectReport& report);
// A single address counts as a prefix of its full length. Host bits are cleared.
[[nodiscard]] std::optional<Prefix> read_prefix(const YamlNode& node, const ObjectReport& report);

class Fields {
 public:
  // `node` may be null: a mapping without keys. Something else than a mapping is reported.
  Fields(const YamlNode* node, const ObjectReport& report);
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  [[nodiscard]] Location at() const noexcept { return node_ == nullptr ? Location{} : node_->at; }
  [[nodiscard]] const ObjectReport& report() const noexcept { return report_; }
  // What was asked for until now could be read, or was not there. Where it could not, absent does not mean what the
  // absence of a key means: a list of peers that is none is not every peer.
  [[nodiscard]] bool whole() const noexcept { return whole_; }

  [[nodiscard]] const YamlNode* find(std::string_view key);
  [[nodiscard]] std::optional<std::string> text(std::string_view key);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most);
  [[nodiscard]] std::optional<bool> boolean(std::string_view key);
  // The elements; none where the key is absent or, with a report, no list.
  [[nodiscard]] const std::vector<YamlNode>& list(std::string_view key);
  // Texts and prefixes of a list, without those that are wrong.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] std::vector<Prefix> prefixes(std::string_view key);

  // Where the key is there, `message` stands behind its name as a report. True: it was there.
  bool lost(std::string_view key, std::string_view message);
  // Keys that say nothing about where a flow may go or under which address.
  void without_meaning(std::initializer_list<std::string_view> keys);

 private:
  const YamlNode* node_;
  template <typename T>
  std::optional<T> read(std::optional<T> value) {
    whole_ = whole_ && value.has_value();
    return value;
  }

  const ObjectReport& report_;
  bool whole_ = true;
  std::vector<std::string_view> asked_;  // the keys of whoever reads; they are literals
};

}  // namespace sallyport::config
