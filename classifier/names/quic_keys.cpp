// The door to OpenSSL. SHA256_Transform is the one way there to a single compression; OpenSSL 3.0 marks it deprecated
// in favour of EVP, which has none.
#define OPENSSL_API_COMPAT 10100
#include "classifier/names/quic_keys.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace sallyport::classifier::names {
namespace {

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t key_bytes = 16;
constexpr std::size_t iv_bytes = 12;
constexpr std::size_t sample_bytes = 16;
constexpr std::size_t number_bytes_max = 4;

constexpr Sha256State start_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

[[nodiscard]] Sha256State compress(const Sha256State& state, const Sha256Block& block) noexcept {
  SHA256_CTX context;
  std::copy(state.begin(), state.end(), context.h);
  SHA256_Transform(&context, block.data());
  Sha256State next;
  std::copy_n(context.h, next.size(), next.begin());
  return next;
}

[[nodiscard]] Sha256Digest digest_of(const Sha256State& state) noexcept {
  static_assert(std::endian::native == std::endian::little);
  Sha256Digest digest;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const std::uint32_t word = __builtin_bswap32(state[i]);
    std::memcpy(&digest[i * sizeof word], &word, sizeof word);
  }
  return digest;
}

// RFC 9000 appendix A.3, without its last 2^32 numbers, which no Initial comes to.
[[nodiscard]] std::uint64_t whole_number(std::uint64_t truncated, std::size_t bytes,
                                         std::uint64_t next_number) noexcept {
  const std::uint64_t window = std::uint64_t{1} << 8 * bytes;
  const std::uint64_t nearby = (next_number & ~(window - 1)) | truncated;
  if (nearby + window / 2 <= next_number) return nearby + window;
  return nearby > next_number + window / 2 && nearby >= window ? nearby - window : nearby;
}

// The last block of a hashed message that has one whole block, an HMAC pad, before these at most 55 bytes (FIPS 180-4).
[[nodiscard]] Sha256Block last_block(Bytes message) noexcept {
  Sha256Block block{};
  std::copy(message.begin(), message.end(), block.begin());
  block[message.size()] = 0x80;
  const std::size_t bits = 8 * (block.size() + message.size());
  block[62] = static_cast<std::uint8_t>(bits >> 8);
  block[63] = static_cast<std::uint8_t>(bits & 0xff);
  return block;
}

[[nodiscard]] HmacKey hmac_key(Bytes key) noexcept {
  Sha256Block inner_pad;
  Sha256Block outer_pad;
  inner_pad.fill(0x36);
  outer_pad.fill(0x5c);
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner_pad[i] ^= key[i];
    outer_pad[i] ^= key[i];
  }
  return {compress(start_state, inner_pad), compress(start_state, outer_pad)};
}

[[nodiscard]] Sha256Digest hmac(const HmacKey& key, const Sha256Block& message) noexcept {
  const Sha256Digest inner = digest_of(compress(key.inner, message));
  return digest_of(compress(key.outer, last_block(inner)));
}

// HKDF-Expand-Label with an empty context and at most 32 bytes of output: one HMAC (RFC 8446 section 7.1, RFC 5869).
[[nodiscard]] Sha256Block expand_message(std::string_view label, std::size_t output_bytes) {
  const std::string full = "tls13 " + std::string(label);
  std::string message;
  message.push_back('\0');
  message.push_back(static_cast<char>(output_bytes));
  message.push_back(static_cast<char>(full.size()));
  message += full;
  message.push_back('\0');
  message.push_back('\x01');
  return last_block({reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
}

}  // namespace

void QuicKeys::CipherDeleter::operator()(evp_cipher_ctx_st* cipher) const noexcept { EVP_CIPHER_CTX_free(cipher); }

QuicKeys::Cipher QuicKeys::make_cipher(const char* name, bool encrypts) {
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> fetched(EVP_CIPHER_fetch(nullptr, name, nullptr),
                                                                        &EVP_CIPHER_free);
  Cipher cipher(EVP_CIPHER_CTX_new());
  if (!fetched || !cipher) throw std::bad_alloc();
  if (EVP_CipherInit_ex2(cipher.get(), fetched.get(), nullptr, nullptr, encrypts ? 1 : 0, nullptr) != 1) {
    throw std::bad_alloc();
  }
  return cipher;
}

QuicKeys::QuicKeys()
    : payload_cipher_(make_cipher("AES-128-GCM", false)), header_cipher_(make_cipher("AES-128-ECB", true)) {
  for (std::size_t i = 0; i < quic_secrets.size(); ++i) {
    const std::string prefix(quic_secrets[i].label_prefix);
    prepared_[i] = {
        hmac_key(quic_secrets[i].salt),
        {expand_message("client in", sizeof(Sha256Digest)), expand_message("server in", sizeof(Sha256Digest))},
        expand_message(prefix + " key", key_bytes),
        expand_message(prefix + " iv", iv_bytes),
        expand_message(prefix + " hp", key_bytes)};
  }
}

bool QuicKeys::selected(QuicSide side, const QuicVersion& version, Bytes dcid) const noexcept {
  return selected_.version == &version && selected_.side == side &&
         std::equal(dcid.begin(), dcid.end(), selected_.dcid.begin(),
                    selected_.dcid.begin() + static_cast<std::ptrdiff_t>(selected_.dcid_bytes));
}

bool QuicKeys::select(QuicSide side, const QuicVersion& version, Bytes dcid) noexcept {
  if (selected(side, version, dcid)) return true;
  const Prepared& prepared = prepared_[version.secrets];
  const Sha256Digest initial_secret = hmac(prepared.salt, last_block(dcid));
  const Sha256Block& side_in = prepared.side_in[static_cast<std::size_t>(side)];
  const HmacKey side_secret = hmac_key(hmac(hmac_key(initial_secret), side_in));
  const Sha256Digest key = hmac(side_secret, prepared.key);
  const Sha256Digest iv = hmac(side_secret, prepared.iv);
  const Sha256Digest header_key = hmac(side_secret, prepared.hp);

  selected_.version = nullptr;
  if (EVP_DecryptInit_ex2(payload_cipher_.get(), nullptr, key.data(), nullptr, nullptr) != 1) return false;
  if (EVP_EncryptInit_ex2(header_cipher_.get(), nullptr, header_key.data(), nullptr, nullptr) != 1) return false;
  std::copy_n(iv.begin(), iv_.size(), iv_.begin());
  std::copy(dcid.begin(), dcid.end(), selected_.dcid.begin());
  selected_.dcid_bytes = dcid.size();
  selected_.side = side;
  selected_.version = &version;
  return true;
}

// Takes the header protection off (RFC 9001 section 5.4): the header, whole, goes to the front of opened_.
std::size_t QuicKeys::open_header(Bytes packet, std::size_t number_offset) noexcept {
  std::array<std::uint8_t, sample_bytes> mask;
  int written = 0;
  if (EVP_EncryptUpdate(header_cipher_.get(), mask.data(), &written, &packet[number_offset + number_bytes_max],
                        sample_bytes) != 1) {
    return 0;
  }
  std::copy_n(packet.begin(), number_offset + number_bytes_max, opened_.begin());
  opened_[0] = static_cast<std::uint8_t>(opened_[0] ^ (mask[0] & 0x0f));
  const std::size_t number_bytes = (opened_[0] & 0x03) + std::size_t{1};
  for (std::size_t i = 0; i < number_bytes; ++i) opened_[number_offset + i] ^= mask[1 + i];
  return number_offset + number_bytes;
}

bool QuicKeys::open_payload(Bytes packet, std::size_t header_bytes, std::uint64_t number) noexcept {
  std::array<std::uint8_t, iv_bytes> nonce = iv_;
  for (std::size_t i = iv_bytes; number != 0; number >>= 8U) nonce[--i] ^= static_cast<std::uint8_t>(number & 0xff);
  const Bytes sealed = packet.subspan(header_bytes, packet.size() - header_bytes - tag_bytes);
  std::array<std::uint8_t, tag_bytes> tag;
  std::copy(packet.end() - tag_bytes, packet.end(), tag.begin());

  EVP_CIPHER_CTX* cipher = payload_cipher_.get();
  int written = 0;
  return EVP_DecryptInit_ex2(cipher, nullptr, nullptr, nonce.data(), nullptr) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1 &&
         EVP_DecryptUpdate(cipher, nullptr, &written, opened_.data(), static_cast<int>(header_bytes)) == 1 &&
         EVP_DecryptUpdate(cipher, &opened_[header_bytes], &written, sealed.data(), static_cast<int>(sealed.size())) ==
             1 &&
         EVP_DecryptFinal_ex(cipher, &opened_[header_bytes], &written) == 1;
}

std::optional<QuicKeys::Opened> QuicKeys::open(QuicSide side, const QuicVersion& version, Bytes dcid, Bytes packet,
                                               std::size_t number_offset, std::uint64_t next_number) noexcept {
  if (dcid.size() > dcid_bytes_max || packet.size() > packet_bytes_max) return std::nullopt;
  if (packet.size() < number_offset + number_bytes_max + sample_bytes) return std::nullopt;
  if (!select(side, version, dcid)) return std::nullopt;
  const std::size_t header_bytes = open_header(packet, number_offset);
  if (header_bytes == 0) return std::nullopt;
  std::uint64_t truncated = 0;
  for (std::size_t i = number_offset; i < header_bytes; ++i) truncated = truncated << 8U | opened_[i];
  std::uint64_t number = whole_number(truncated, header_bytes - number_offset, next_number);
  bool opens = open_payload(packet, header_bytes, number);
  if (!opens && number != truncated) opens = open_payload(packet, header_bytes, number = truncated);
  if (!opens) return std::nullopt;
  const Bytes frames(&opened_[header_bytes], packet.size() - header_bytes - tag_bytes);
  return Opened{opened_[0], number, frames};
}

}  // namespace sallyport::classifier::names
