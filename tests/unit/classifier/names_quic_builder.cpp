#include "tests/unit/classifier/names_quic_builder.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "classifier/names/quic_version.h"
#include "classifier/names/tls_client_hello.h"

namespace sallyport::classifier::names {
namespace {

void require(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL");
}

Buffer hkdf(int mode, Buffer key, Buffer salt, Buffer info, std::size_t length) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), &EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()),
                                                                          &EVP_KDF_CTX_free);
  std::string digest = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  Buffer out(length);
  require(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1);
  return out;
}

Buffer expand_label(const Buffer& secret, const std::string& label, std::size_t length) {
  Buffer info;
  append_number(info, length, 2);
  append(info, vector(1, text("tls13 " + label)));
  append(info, vector(1, {}));
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, {0}, info, length);
}

// Looked up once: OpenSSL 3 looks a cipher up anew each time it is named by EVP_aes_...().
const EVP_CIPHER* gcm() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  return cipher;
}
const EVP_CIPHER* ecb() {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  return cipher;
}

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Buffer encrypt(const EVP_CIPHER* cipher, const Buffer& key, const std::uint8_t* nonce, const Buffer& header,
               std::span<const std::uint8_t> content, std::size_t tag_bytes) {
  const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  require(EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), nonce) == 1);
  int written = 0;
  if (!header.empty()) {
    require(EVP_EncryptUpdate(context.get(), nullptr, &written, header.data(), static_cast<int>(header.size())) == 1);
  }
  Buffer out(content.size() + tag_bytes);
  require(EVP_EncryptUpdate(context.get(), out.data(), &written, content.data(), static_cast<int>(content.size())) ==
          1);
  if (tag_bytes != 0) {
    int final_bytes = 0;
    require(EVP_EncryptFinal_ex(context.get(), out.data() + written, &final_bytes) == 1);
    require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes),
                                out.data() + content.size()) == 1);
  }
  return out;
}

unsigned initial_type_bits(const QuicVersion& version) {
  unsigned bits = 0;
  while (version.packet_types[bits] != QuicPacketType::initial) ++bits;
  return bits;
}

struct InitialKeys {
  Buffer key, iv, header_key;
};

InitialKeys derive(const QuicSecrets& secrets, const Buffer& dcid, bool from_server) {
  const std::string prefix(secrets.label_prefix);
  const Buffer salt(secrets.salt.begin(), secrets.salt.end());
  const Buffer initial_secret = hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, dcid, salt, {}, 32);
  const Buffer secret = expand_label(initial_secret, from_server ? "server in" : "client in", 32);
  return {expand_label(secret, prefix + " key", 16), expand_label(secret, prefix + " iv", 12),
          expand_label(secret, prefix + " hp", 16)};
}

// Kept, since the fuzzer asks for the same few all the time and EVP_KDF is slow.
const InitialKeys& initial_keys(std::uint8_t secrets, const Buffer& dcid, bool from_server) {
  static std::map<std::tuple<std::uint8_t, Buffer, bool>, InitialKeys> known;
  const auto [entry, added] = known.try_emplace({secrets, dcid, from_server});
  if (added) entry->second = derive(quic_secrets[secrets], dcid, from_server);
  return entry->second;
}

Buffer long_header(unsigned first_byte, std::uint32_t version, std::span<const std::uint8_t> dcid) {
  Buffer header;
  append_number(header, first_byte, 1);
  append_number(header, version, 4);
  append(header, vector(1, dcid));
  append(header, vector(1, {}));
  return header;
}

}  // namespace

Buffer varint(std::uint64_t value) {
  Buffer out;
  std::size_t log = 0;
  while (value >> (8 * (std::size_t{1} << log) - 2) != 0) ++log;
  append_number(out, value, std::size_t{1} << log);
  out[0] = static_cast<std::uint8_t>(out[0] | log << 6);
  return out;
}

Buffer crypto_frame(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  return joined({{0x06}, varint(offset), varint(bytes.size()), Buffer(bytes.begin(), bytes.end())});
}

Buffer server_message(Answer answer) {
  Buffer body = {0x03, 0x03};
  append(body, answer == Answer::retry_request ? Buffer(hello_retry_random.begin(), hello_retry_random.end())
                                               : Buffer(32, 0x5a));
  append(body, Buffer{0x00, 0x13, 0x01, 0x00, 0x00, 0x00});  // no session, a cipher suite, no extensions
  return joined({{0x02}, vector(3, body)});
}

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer out;
  for (const Buffer& part : parts) append(out, part);
  return out;
}

Buffer other_packet(std::uint32_t version, unsigned type_bits, std::span<const std::uint8_t> dcid) {
  Buffer packet = long_header(0xc0 | type_bits << 4, version, dcid);
  append(packet, varint(40));
  append(packet, Buffer(40, 0x99));
  return packet;
}

Buffer Initial::protect() const {
  constexpr std::size_t tag_bytes = 16;
  const QuicVersion& known = *find_quic_version(version);
  const InitialKeys& keys = initial_keys(known.secrets, key_dcid.empty() ? dcid : key_dcid, from_server);
  Buffer nonce = keys.iv;
  for (std::size_t i = 0; i < 4; ++i) nonce[8 + i] = static_cast<std::uint8_t>(nonce[8 + i] ^ (number >> (24 - 8 * i)));

  const auto first_byte =
      static_cast<unsigned>(0xc0 | initial_type_bits(known) << 4 | reserved_bits | (number_bytes - 1));
  Buffer header = long_header(first_byte, version, dcid);
  append(header, varint(token.size()));
  append(header, token);
  Buffer content = frames;
  const std::size_t overhead = header.size() + 2 + number_bytes + tag_bytes;
  if (overhead + content.size() < datagram_bytes) content.resize(datagram_bytes - overhead);
  append_number(header, 0x4000 | (number_bytes + content.size() + tag_bytes), 2);
  const std::size_t number_offset = header.size();
  append_number(header, number, number_bytes);

  Buffer packet = header;
  append(packet, encrypt(gcm(), keys.key, nonce.data(), header, content, tag_bytes));
  const Buffer mask = encrypt(ecb(), keys.header_key, nullptr, {}, std::span(packet).subspan(number_offset + 4, 16), 0);
  packet[0] = static_cast<std::uint8_t>(packet[0] ^ (mask[0] & 0x0f));
  for (std::size_t i = 0; i < number_bytes; ++i) {
    packet[number_offset + i] = static_cast<std::uint8_t>(packet[number_offset + i] ^ mask[1 + i]);
  }
  return packet;
}

}  // namespace sallyport::classifier::names
