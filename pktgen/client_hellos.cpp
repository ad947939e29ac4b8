#include "pktgen/client_hellos.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "pktgen/mixed.h"

namespace sallyport::pktgen {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t handshake_record = 22;
constexpr std::uint8_t cipher_record = 20;
constexpr std::uint8_t data_record = 23;
constexpr std::size_t tls_1_2 = 0x0303;
constexpr std::size_t random_bytes = 32;
constexpr std::size_t record_head = 5;
constexpr std::size_t random_at = record_head + 4 + 2;
constexpr std::size_t classical_share = 38;       // X25519
constexpr std::size_t post_quantum_share = 1263;  // X25519MLKEM768 and X25519

void put_number(Bytes& to, std::size_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// One by one: g++ 12 warns of std::vector's own memmove where resize is inlined.
void put_many(Bytes& to, std::uint8_t byte, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to.push_back(byte);
}

void put_extension(Bytes& to, std::uint16_t type, std::size_t bytes) {
  put_number(to, type, 2);
  put_number(to, bytes, 2);
  put_many(to, 0x5a, bytes);
}

void put(Bytes& to, std::initializer_list<std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) to.push_back(byte);
}

// In a record of its own.
Bytes record(std::uint8_t type, const Bytes& content) {
  Bytes all{type, 3, type == handshake_record ? std::uint8_t{1} : std::uint8_t{3}};
  put_number(all, content.size(), 2);
  for (const std::uint8_t byte : content) all.push_back(byte);
  return all;
}

Bytes extensions_before_the_name(bool post_quantum) {
  Bytes all;
  put_extension(all, 0x0a0a, 0);                                                // GREASE, RFC 8701
  put_extension(all, 51, post_quantum ? post_quantum_share : classical_share);  // key_share
  put(all, {0, 43, 0, 5, 4, 3, 4, 3, 3});                                       // supported_versions: 1.3, 1.2
  put(all, {0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24});                           // supported_groups
  put(all, {0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1});                              // signature_algorithms
  put(all, {0, 16, 0, 14, 0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'});  // ALPN, RFC 7301
  put_extension(all, 23, 0);                                                                // extended_master_secret
  put_extension(all, 35, 192);                                                              // session_ticket, RFC 5077
  put(all, {0, 45, 0, 2, 1, 1});                                                            // psk_key_exchange_modes
  put_extension(all, 18, 0);  // signed_certificate_timestamp
  return all;
}

void add_to_length(std::uint8_t* field, std::size_t more) noexcept {
  const std::size_t length = (std::size_t{field[0]} << 8U | field[1]) + more;
  field[0] = static_cast<std::uint8_t>(length >> 8U);
  field[1] = static_cast<std::uint8_t>(length);
}

}  // namespace

ClientHellos::ClientHellos(std::vector<std::string> names, bool post_quantum) : names_(std::move(names)) {
  Bytes extensions = extensions_before_the_name(post_quantum);
  put(extensions, {0, 0, 0, 5, 0, 3, 0, 0, 0});  // server_name, RFC 6066 section 3: a list of one host name
  Bytes body;
  put_number(body, tls_1_2, 2);
  put_many(body, 0, random_bytes);
  put_number(body, random_bytes, 1);
  put_many(body, 0x11, random_bytes);                                                             // legacy_session_id
  put(body, {0, 14, 0x1a, 0x1a, 0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x30});  // cipher_suites
  put(body, {1, 0});  // legacy_compression_methods
  put_number(body, extensions.size(), 2);
  for (const std::uint8_t byte : extensions) body.push_back(byte);
  Bytes message{1};
  put_number(message, body.size(), 3);
  for (const std::uint8_t byte : body) message.push_back(byte);
  head_ = record(handshake_record, message);
}

std::size_t ClientHellos::bytes(std::uint64_t number) const noexcept { return head_.size() + name(number).size(); }

void ClientHellos::write(std::uint64_t number, std::uint64_t random, std::span<std::uint8_t> into) const noexcept {
  const std::string& name = this->name(number);
  std::memcpy(into.data(), head_.data(), head_.size());
  std::memcpy(into.data() + head_.size(), name.data(), name.size());
  for (std::size_t i = 0; i < random_bytes; i += sizeof random) {
    random = mixed(random);
    std::memcpy(into.data() + random_at + i, &random, sizeof random);
  }
  // Each length around the name: record, message, extensions, and of server_name itself three.
  constexpr std::size_t extensions_at = random_at + random_bytes + 1 + random_bytes + 16 + 2;
  for (const std::size_t at :
       {std::size_t{3}, record_head + 2, extensions_at, head_.size() - 7, head_.size() - 5, head_.size() - 2}) {
    add_to_length(into.data() + at, name.size());
  }
}

std::vector<std::uint8_t> server_hello() {
  Bytes body;
  put_number(body, tls_1_2, 2);
  put_many(body, 0x77, random_bytes);
  put_number(body, random_bytes, 1);
  put_many(body, 0x11, random_bytes);
  put(body, {0x13, 1, 0, 0, 46, 0, 43, 0, 2, 3, 4});  // cipher suite, compression, supported_versions: 1.3
  put_extension(body, 51, 36);
  Bytes message{2};
  put_number(message, body.size(), 3);
  for (const std::uint8_t byte : body) message.push_back(byte);
  Bytes all;
  for (const Bytes& part :
       {record(handshake_record, message), record(cipher_record, {1}), record(data_record, Bytes(512, 0xdd))}) {
    for (const std::uint8_t byte : part) all.push_back(byte);
  }
  return all;
}

}  // namespace sallyport::pktgen
