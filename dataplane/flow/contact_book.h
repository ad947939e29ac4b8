// Whom a mapping has spoken to, by address: who may answer through it under address-dependent filtering (RFC 4787
// section 5). Counted by flow; empty where [nat] filtering is another.
#pragma once

#include <cstdint>

#include "dataplane/flow/key_hash.h"
#include "dataplane/flow/key_index.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

class ContactBook {
 public:
  // For so many flows; 0: nothing is kept.
  ContactBook(std::uint32_t capacity, const KeyHash& hash) : contacts_(capacity), index_(capacity), hash_(hash) {}

  [[nodiscard]] bool knows(std::uint32_t mapping, const IpAddress& server) const noexcept {
    return find(mapping, server) != 0;
  }
  void enter(std::uint32_t mapping, const IpAddress& server) noexcept {
    if (contacts_.capacity() == 0) return;
    std::uint32_t number = find(mapping, server);
    if (number == 0) {
      number = contacts_.take();
      if (number == 0) return;
      if (!index_.insert(hash(mapping, server), number)) {
        contacts_.give_back(number);
        return;
      }
      contacts_[number] = {server, mapping, 0};
    }
    ++contacts_[number].flows;
  }
  void leave(std::uint32_t mapping, const IpAddress& server) noexcept {
    const std::uint32_t number = find(mapping, server);
    if (number == 0 || --contacts_[number].flows != 0) return;
    index_.erase(hash(mapping, server), number);
    contacts_.give_back(number);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return contacts_.bytes() + index_.bytes(); }

 private:
  static constexpr std::uint64_t domain = 6;
  struct Contact {
    IpAddress server;
    std::uint32_t mapping;
    std::uint32_t flows;
  };
  [[nodiscard]] std::uint64_t hash(std::uint32_t mapping, const IpAddress& server) const noexcept {
    return hash_(server, std::uint64_t{mapping} << 8U | domain);
  }
  [[nodiscard]] std::uint32_t find(std::uint32_t mapping, const IpAddress& server) const noexcept {
    if (contacts_.capacity() == 0) return 0;
    const std::uint32_t found = index_.find(hash(mapping, server), [&](std::uint32_t number) {
      return contacts_[number].mapping == mapping && contacts_[number].server == server;
    });
    return found == KeyIndex::none ? 0 : found;
  }

  Slots<Contact> contacts_;
  KeyIndex index_;
  const KeyHash& hash_;
};

}  // namespace sallyport::dataplane
