// DNS messages made byte by byte, right or wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::classifier::names {

using DnsBytes = std::vector<std::uint8_t>;

inline constexpr std::uint16_t dns_a = 1, dns_ns = 2, dns_cname = 5, dns_opt = 41, dns_aaaa = 28;
inline constexpr std::uint16_t dns_query_flags = 0x0100, dns_answer_flags = 0x8180, dns_truncated_flags = 0x8380;

class DnsMessage {
 public:
  DnsMessage(std::uint16_t id, std::uint16_t flags) : bytes_(12) {
    put16(0, id);
    put16(2, flags);
  }

  DnsMessage& question(std::string_view name, std::uint16_t type = dns_a, std::uint16_t name_class = 1) {
    add_name(name);
    add16(type);
    add16(name_class);
    return count(4);
  }
  // A record whose owner is the question's name, by a pointer.
  DnsMessage& answer(std::uint16_t type, std::uint32_t ttl, const DnsBytes& data) {
    add16(0xc00c);
    return record_behind_owner(type, 1, ttl, data).count(6);
  }
  DnsMessage& answer(std::string_view owner, std::uint16_t type, std::uint32_t ttl, const DnsBytes& data) {
    add_name(owner);
    return record_behind_owner(type, 1, ttl, data).count(6);
  }
  DnsMessage& authority(std::string_view owner, std::uint16_t type, std::uint32_t ttl, const DnsBytes& data) {
    add_name(owner);
    return record_behind_owner(type, 1, ttl, data).count(8);
  }
  DnsMessage& opt(std::uint8_t code_high = 0) {
    bytes_.push_back(0);
    return record_behind_owner(dns_opt, 1232, std::uint32_t{code_high} << 24U, {0, 10, 0, 2, 1, 2}).count(10);
  }
  // As written, without counting anything.
  DnsMessage& raw(const DnsBytes& more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  DnsMessage& count(std::size_t place, int by = 1) {
    put16(place, static_cast<std::uint16_t>((bytes_[place] << 8U | bytes_[place + 1]) + by));
    return *this;
  }

  [[nodiscard]] const DnsBytes& bytes() const { return bytes_; }

  [[nodiscard]] static DnsBytes name(std::string_view text) {
    DnsBytes out;
    while (!text.empty()) {
      const std::size_t dot = std::min(text.find('.'), text.size());
      out.push_back(static_cast<std::uint8_t>(dot));
      out.insert(out.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(dot));
      text.remove_prefix(std::min(dot + 1, text.size()));
    }
    out.push_back(0);
    return out;
  }

 private:
  void add_name(std::string_view text) { raw(name(text)); }
  void add16(std::uint16_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes_.push_back(static_cast<std::uint8_t>(value));
  }
  void put16(std::size_t place, std::uint16_t value) {
    bytes_[place] = static_cast<std::uint8_t>(value >> 8U);
    bytes_[place + 1] = static_cast<std::uint8_t>(value);
  }
  DnsMessage& record_behind_owner(std::uint16_t type, std::uint16_t record_class, std::uint32_t ttl,
                                  const DnsBytes& data) {
    add16(type);
    add16(record_class);
    add16(static_cast<std::uint16_t>(ttl >> 16U));
    add16(static_cast<std::uint16_t>(ttl));
    add16(static_cast<std::uint16_t>(data.size()));
    return raw(data);
  }

  DnsBytes bytes_;
};

[[nodiscard]] inline DnsBytes with_dns_length(const DnsBytes& message) {
  DnsBytes out(2 + message.size());
  out[0] = static_cast<std::uint8_t>(message.size() >> 8U);
  out[1] = static_cast<std::uint8_t>(message.size());
  std::copy(message.begin(), message.end(), out.begin() + 2);
  return out;
}

}  // namespace sallyport::classifier::names
