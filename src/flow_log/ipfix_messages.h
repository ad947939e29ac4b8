// IPFIX messages (RFC 7011) of records whose layout is given, by libfixbuf; who sends them is somebody else's matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport {

// An information element by IANA's name, and its bytes in a record; 0: an IpfixText.
struct IpfixElement {
  const char* name;
  std::uint16_t bytes;
};
// The elements of a record, which stand in it in this order, in this machine's byte order and without gaps.
using IpfixTemplate = std::vector<IpfixElement>;

struct IpfixText {
  std::size_t length;
  const char* text;
};

class IpfixMessages {
 public:
  // Fits into a packet of Ethernet, headers of IPv6 and UDP included.
  static constexpr std::size_t bytes_max = 1400;

  // Called with each message when it is complete.
  using Send = std::function<void(std::string_view message)>;

  // Templates have the numbers 256, 257, ... Throws std::runtime_error where one is wrong.
  IpfixMessages(std::uint32_t observation_domain, std::span<const IpfixTemplate> templates, Send send);
  ~IpfixMessages();
  IpfixMessages(const IpfixMessages&) = delete;
  IpfixMessages& operator=(const IpfixMessages&) = delete;

  // All of them into the present message.
  void add_templates();
  // Of the template at this index. False: it does not fit into any message.
  template <typename Record>
  bool add(std::size_t index, const Record& record) {
    return add_bytes(index, &record, sizeof record);
  }
  // Completes the present message, if there is something in it.
  void flush();

 private:
  bool add_bytes(std::size_t index, const void* record, std::size_t bytes);

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sallyport
