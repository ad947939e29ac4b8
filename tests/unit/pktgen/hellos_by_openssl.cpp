// What TLS of somebody else's makes of the hellos.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "pktgen/client_hellos.h"

namespace sallyport::pktgen {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename Type>
using Owned = std::unique_ptr<Type, Free>;

constexpr std::size_t session_id_at = 5 + 4 + 2 + 32 + 1;  // in a hello of either side, in its record
constexpr std::size_t session_id_bytes = 32;

// One end of a connection of OpenSSL's, between two buffers.
class End {
 public:
  explicit End(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {}

  void be_a_server() {
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const Owned<X509> certificate(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    ASSERT_EQ(SSL_CTX_use_certificate(context_.get(), certificate.get()), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key.get()), 1);
    SSL_CTX_set_tlsext_servername_callback(context_.get(), note_name);
    SSL_CTX_set_tlsext_servername_arg(context_.get(), &asked_for_);
  }
  // Takes what came, says what it answers, and why it went no further.
  Bytes answer(const Bytes& came) {
    if (!connection_) {
      connection_.reset(SSL_new(context_.get()));
      SSL_set_bio(connection_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
      if (SSL_CTX_get_ssl_method(context_.get()) == TLS_server_method()) {
        SSL_set_accept_state(connection_.get());
      } else {
        SSL_set_connect_state(connection_.get());
      }
    }
    BIO_write(SSL_get_rbio(connection_.get()), came.data(), static_cast<int>(came.size()));
    ERR_clear_error();
    const int done = SSL_do_handshake(connection_.get());
    waits_ = SSL_get_error(connection_.get(), done) == SSL_ERROR_WANT_READ;
    reason_ = ERR_GET_REASON(ERR_peek_error());
    Bytes said(BIO_ctrl_pending(SSL_get_wbio(connection_.get())));
    BIO_read(SSL_get_wbio(connection_.get()), said.data(), static_cast<int>(said.size()));
    return said;
  }
  [[nodiscard]] bool waits() const { return waits_; }
  [[nodiscard]] int reason() const { return reason_; }
  [[nodiscard]] const std::string& asked_for() const { return asked_for_; }
  [[nodiscard]] std::string cipher() const { return SSL_get_cipher_name(connection_.get()); }

 private:
  static int note_name(SSL* connection, int*, void* into) {
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    *static_cast<std::string*>(into) = name == nullptr ? "" : name;
    return SSL_TLSEXT_ERR_OK;
  }

  Owned<SSL_CTX> context_;
  Owned<SSL> connection_;
  std::string asked_for_;
  bool waits_ = false;
  int reason_ = 0;
};

Bytes hello_of(const std::string& name, bool post_quantum) {
  const ClientHellos hellos({name}, post_quantum);
  Bytes bytes(hellos.bytes(0));
  hellos.write(0, 1, bytes);
  return bytes;
}

TEST(ClientHellos, AServerReadsTheNameAndAnswers) {
  for (const bool post_quantum : {false, true}) {
    for (const std::string& name : {std::string("a.b"), std::string(200, 'x') + ".example"}) {
      End server(TLS_server_method());
      server.be_a_server();
      const Bytes said = server.answer(hello_of(name, post_quantum));
      EXPECT_EQ(server.asked_for(), name);
      EXPECT_TRUE(server.waits()) << ERR_reason_error_string(static_cast<unsigned long>(server.reason()));
      ASSERT_GT(said.size(), 500U);
      EXPECT_EQ(said[0], 22) << "a handshake record";
      EXPECT_EQ(said[5], 2) << "a ServerHello";
      EXPECT_EQ(said[5 + 4 + 2 + 32], session_id_bytes);
      EXPECT_EQ(server.cipher(), "TLS_AES_128_GCM_SHA256");
      // A HelloRetryRequest has a random of its own, and certificates come behind a ServerHello alone.
      EXPECT_NE(said[5 + 4 + 2], 0xcf);
    }
  }
}

TEST(ClientHellos, AreAsLargeAsABrowsers) {
  EXPECT_EQ(hello_of("www.example.com", false).size(), 517U);
  const std::size_t post_quantum = hello_of("www.example.com", true).size();
  EXPECT_TRUE(post_quantum > 1650 && post_quantum < 1800) << post_quantum;
}

// It gets as far as the records that nobody can read.
TEST(ServerHello, IsTakenByAClient) {
  End client(TLS_client_method());
  const Bytes asked = client.answer({});
  ASSERT_EQ(asked[session_id_at - 1], session_id_bytes);
  Bytes answer = server_hello();
  std::copy_n(asked.begin() + session_id_at, session_id_bytes, answer.begin() + session_id_at);
  (void)client.answer(answer);
  EXPECT_EQ(client.reason(), SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)
      << ERR_reason_error_string(static_cast<unsigned long>(client.reason()));
  EXPECT_EQ(client.cipher(), "TLS_AES_128_GCM_SHA256");
}

}  // namespace
}  // namespace sallyport::pktgen
