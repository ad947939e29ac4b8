#include "pktgen/client_hellos.h"

#include <algorithm>
#include <array>
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
constexpr std::size_t session_id_bytes = 32;
constexpr std::uint8_t session_id = 0x11;  // all of its bytes: a server gives back the client's
constexpr std::size_t padding_bytes = 22;  // of a hello without post-quantum key: 517 bytes with a name of 15
// Values that mean nothing, at places of several kinds (GREASE, RFC 8701): browsers send them, too.
constexpr std::size_t grease = 0x0a0a;
constexpr std::size_t x25519 = 0x001d;
constexpr std::size_t x25519_bytes = 32;
constexpr std::size_t x25519_mlkem768 = 0x11ec;
constexpr std::size_t x25519_mlkem768_bytes = 1184 + x25519_bytes;  // the client's: what to encapsulate to, and a point

constexpr std::array<std::uint16_t, 16> cipher_suites = {grease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                                         0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                                                         0x009c, 0x009d, 0x002f, 0x0035};

void put_number(Bytes& to, std::size_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// One by one: g++ 12 warns of std::vector's own memmove where resize is inlined.
void put_many(Bytes& to, std::uint8_t byte, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to.push_back(byte);
}

void put(Bytes& to, std::initializer_list<std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) to.push_back(byte);
}

void put_extension(Bytes& to, std::size_t type, const Bytes& content = {}) {
  put_number(to, type, 2);
  put_number(to, content.size(), 2);
  for (const std::uint8_t byte : content) to.push_back(byte);
}

// One key of key_share (RFC 8446 section 4.2.8). Any bytes but zeros are a key of X25519, and these are one of ML-KEM
// 768 as well: all of its 12 bit numbers are below 3329 (FIPS 203 section 7.2).
void put_share(Bytes& to, std::size_t group, std::size_t bytes) {
  put_number(to, group, 2);
  put_number(to, bytes, 2);
  put_many(to, 0x5a, bytes);
}

// In a record of its own, whose version is 3.3 but in a ClientHello (RFC 8446 section 5.1).
Bytes record(std::uint8_t type, const Bytes& content, std::uint8_t minor_version = 3) {
  Bytes all{type, 3, minor_version};
  put_number(all, content.size(), 2);
  for (const std::uint8_t byte : content) all.push_back(byte);
  return all;
}

// In a post-quantum hello X25519 stands beside, for servers that know nothing else.
Bytes key_shares(bool post_quantum) {
  Bytes shares;
  put_share(shares, grease, 1);
  if (post_quantum) put_share(shares, x25519_mlkem768, x25519_mlkem768_bytes);
  put_share(shares, x25519, x25519_bytes);
  Bytes all;
  put_number(all, shares.size(), 2);
  for (const std::uint8_t byte : shares) all.push_back(byte);
  return all;
}

Bytes supported_groups(bool post_quantum) {
  Bytes groups;
  put_number(groups, grease, 2);
  if (post_quantum) put_number(groups, x25519_mlkem768, 2);
  put_number(groups, x25519, 2);
  put(groups, {0, 23, 0, 24});  // secp256r1, secp384r1
  Bytes all;
  put_number(all, groups.size(), 2);
  for (const std::uint8_t byte : groups) all.push_back(byte);
  return all;
}

// The name itself is written for each hello: server_name is the last of them, RFC 6066 section 3: a list of one host.
Bytes extensions_up_to_the_name(bool post_quantum) {
  Bytes all;
  put_extension(all, grease);
  put_extension(all, 51, key_shares(post_quantum));
  put_extension(all, 43, {6, 0x0a, 0x0a, 3, 4, 3, 3});  // supported_versions: 1.3, 1.2
  put_extension(all, 10, supported_groups(post_quantum));
  put_extension(all, 13, {0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1});          // signature_algorithms
  put_extension(all, 16, {0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'});  // ALPN, RFC 7301
  put_extension(all, 5, {1, 0, 0, 0, 0});                                                   // status_request, RFC 6066
  put_extension(all, 0xff01, {0});                                     // renegotiation_info, RFC 5746
  put_extension(all, 11, {1, 0});                                      // ec_point_formats, RFC 8422
  put_extension(all, 27, {2, 0, 2});                                   // compress_certificate: Brotli, RFC 8879
  put_extension(all, 23);                                              // extended_master_secret, RFC 7627
  put_extension(all, 35, Bytes(192, 0x5a));                            // session_ticket, RFC 5077
  put_extension(all, 45, {1, 1});                                      // psk_key_exchange_modes
  put_extension(all, 18);                                              // signed_certificate_timestamp, RFC 6962
  if (!post_quantum) put_extension(all, 21, Bytes(padding_bytes, 0));  // padding, RFC 7685
  put(all, {0, 0, 0, 5, 0, 3, 0, 0, 0});
  return all;
}

void add_to_length(std::uint8_t* field, std::size_t more) noexcept {
  const std::size_t length = (std::size_t{field[0]} << 8U | field[1]) + more;
  field[0] = static_cast<std::uint8_t>(length >> 8U);
  field[1] = static_cast<std::uint8_t>(length);
}

}  // namespace

ClientHellos::ClientHellos(std::vector<std::string> names, bool post_quantum) : names_(std::move(names)) {
  const Bytes extensions = extensions_up_to_the_name(post_quantum);
  Bytes body;
  put_number(body, tls_1_2, 2);
  put_many(body, 0, random_bytes);
  put_number(body, session_id_bytes, 1);
  put_many(body, session_id, session_id_bytes);
  put_number(body, 2 * cipher_suites.size(), 2);
  for (const std::uint16_t suite : cipher_suites) put_number(body, suite, 2);
  put(body, {1, 0});  // legacy_compression_methods
  put_number(body, extensions.size(), 2);
  for (const std::uint8_t byte : extensions) body.push_back(byte);
  Bytes message{1};
  put_number(message, body.size(), 3);
  for (const std::uint8_t byte : body) message.push_back(byte);
  head_ = record(handshake_record, message, 1);
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
  constexpr std::size_t extensions_at =
      random_at + random_bytes + 1 + session_id_bytes + 2 + 2 * cipher_suites.size() + 2;
  for (const std::size_t at :
       {std::size_t{3}, record_head + 2, extensions_at, head_.size() - 7, head_.size() - 5, head_.size() - 2}) {
    add_to_length(into.data() + at, name.size());
  }
}

// Of the keys offered the one that is in every hello: who answers has not read the hello that is answered.
std::vector<std::uint8_t> server_hello() {
  Bytes extensions;
  put_extension(extensions, 43, {3, 4});  // supported_versions: 1.3
  Bytes share;
  put_share(share, x25519, x25519_bytes);
  put_extension(extensions, 51, share);
  Bytes body;
  put_number(body, tls_1_2, 2);
  put_many(body, 0x77, random_bytes);
  put_number(body, session_id_bytes, 1);
  put_many(body, session_id, session_id_bytes);
  put(body, {0x13, 1, 0});  // TLS_AES_128_GCM_SHA256, no compression
  put_number(body, extensions.size(), 2);
  for (const std::uint8_t byte : extensions) body.push_back(byte);
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
