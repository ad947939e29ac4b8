// What DNS has said, as far as a decision asks: is a name bound to an address? The policy is given an answerer with
// each question and remembers nothing: the dataplane asks its bindings, `explain` what its user claims, the tests a
// list.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/address.h"

namespace sallyport::classifier {

// A host name of a `domains` peer, in normal form.
struct Domain {
  enum class Kind : std::uint8_t {
    exact,  // "example.com"
    below,  // "*.example.com": text holds "example.com"
    apex,   // ".example.com": the name itself and all below
  };
  Kind kind = Kind::exact;
  std::string_view text;  // empty: none
};

class BoundNames {
 public:
  BoundNames() = default;
  BoundNames(const BoundNames&) = delete;
  BoundNames& operator=(const BoundNames&) = delete;
  virtual ~BoundNames() = default;
  // False: no name at all is bound to the address. Asked first, so that other destinations cost one question.
  [[nodiscard]] virtual bool knows(const IpAddress& address) const noexcept = 0;
  [[nodiscard]] virtual bool binds(const Domain& domain, const IpAddress& address) const noexcept = 0;
};

}  // namespace sallyport::classifier
