// A dialogue in front of TLS: a byte says who speaks and how long, then what is said. Told message by message and told
// byte by byte, it stands at the same place, has asked for the same target, and has let no more pass than it may.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "classifier/names/upgrade.h"
#include "tests/fuzz/cuts.h"

namespace {

using namespace sallyport::classifier::names;
using namespace sallyport::fuzz;
using Bytes = std::span<const std::uint8_t>;

class Dialogue {
 public:
  // False: it is over, as no dialogue that is known.
  bool client_says(Bytes bytes) {
    unread_.insert(unread_.end(), bytes.begin(), bytes.end());
    while (!over_ && !unread_.empty() && upgrade_.step != Upgrade::Step::tls && take_unit()) {
    }
    return !over_;
  }
  bool server_says(Bytes bytes) {
    over_ = over_ || !read_upgrade_answer(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), upgrade_);
    return !over_;
  }

  // What was cut into more units than another has may have reached their limit.
  [[nodiscard]] bool is_full() const { return upgrade_.units == Upgrade::units_max; }
  [[nodiscard]] bool stands_as(const Dialogue& other) const {
    const Upgrade& a = upgrade_;
    const Upgrade& b = other.upgrade_;
    return over_ == other.over_ && targets_ == other.targets_ && unread_ == other.unread_ && a.protocol == b.protocol &&
           a.step == b.step && a.kind == b.kind && a.tunnels == b.tunnels && a.passed == b.passed &&
           a.pending == b.pending && a.said == b.said && is_servers_turn(a) == is_servers_turn(b);
  }

 private:
  // Buffers of their exact size, so that AddressSanitizer sees every read outside.
  bool take_unit() {
    const std::vector<std::uint8_t> stream(unread_);
    const UpgradeUnit unit = read_upgrade_unit(stream, upgrade_);
    insist(upgrade_.units <= Upgrade::units_max && upgrade_.passed <= Upgrade::bytes_max);
    insist(upgrade_.tunnels <= Upgrade::tunnels_max + 1);
    if (unit.parse == Parse::need_more) return false;
    over_ = unit.parse != Parse::done;
    if (over_) return false;
    insist(unit.bytes != 0 && unit.bytes <= stream.size());
    targets_ += unit.target;
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(unit.bytes));
    return true;
  }

  Upgrade upgrade_;
  std::vector<std::uint8_t> unread_;
  std::string targets_;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Dialogue whole;
  Dialogue pieces;
  Bytes script(data, size);
  while (!script.empty()) {
    constexpr std::uint8_t server = 0x80, length = 0x7f;
    const std::uint8_t head = script[0];
    const Bytes message = script.subspan(1).first(std::min<std::size_t>(head & length, script.size() - 1));
    script = script.subspan(1 + message.size());
    const bool goes_on = (head & server) != 0 ? whole.server_says(message) : whole.client_says(message);
    for (std::size_t i = 0; i < message.size(); ++i) {
      const Bytes byte = message.subspan(i, 1);
      if (!((head & server) != 0 ? pieces.server_says(byte) : pieces.client_says(byte))) break;
    }
    if (whole.is_full() || pieces.is_full()) return 0;
    insist(goes_on ? whole.stands_as(pieces) : !pieces.client_says({}));
    if (!goes_on) return 0;
  }
  return 0;
}
