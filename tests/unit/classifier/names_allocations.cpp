// Reading a name takes no memory, neither ours nor OpenSSL's: hellos arrive at line rate.
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include "classifier/names/http_request.h"
#include "classifier/names/quic_initial.h"
#include "classifier/names/tls_client_hello.h"
#include "tests/unit/classifier/names_quic_builder.h"

namespace {

std::size_t allocations = 0;

void* counted_malloc(std::size_t bytes, const char*, int) {
  ++allocations;
  return std::malloc(bytes);
}
void* counted_realloc(void* memory, std::size_t bytes, const char*, int) {
  ++allocations;
  return std::realloc(memory, bytes);
}
void plain_free(void* memory, const char*, int) { std::free(memory); }

// Before OpenSSL has allocated anything, or it refuses.
const bool openssl_is_counted = CRYPTO_set_mem_functions(counted_malloc, counted_realloc, plain_free) == 1;

}  // namespace

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes); memory != nullptr) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace sallyport::classifier::names {
namespace {

TEST(Allocations, CountersCount) {
  ASSERT_TRUE(openssl_is_counted);
  const std::size_t before = allocations;
  OPENSSL_free(OPENSSL_malloc(1));
  int* volatile number = new int;  // volatile, or both go away
  delete number;
  EXPECT_EQ(allocations, before + 2);
}

TEST(Allocations, NoneForAClientHello) {
  const Buffer stream = records(browser_hello("a.example").message(), 500);
  Buffer scratch(12'000);
  ClientHello hello;
  const std::size_t before = allocations;
  for (std::size_t end = 0; end < stream.size(); end += 100) {
    TlsProgress progress;
    ASSERT_EQ(parse_client_hello(std::span(stream).first(end), progress, scratch, hello), Parse::need_more);
  }
  TlsProgress progress;
  EXPECT_EQ(parse_client_hello(stream, progress, scratch, hello), Parse::done);
  EXPECT_EQ(allocations, before);
}

TEST(Allocations, NoneForInitialsOfChangingConnections) {
  std::vector<Buffer> datagrams;
  for (const std::uint8_t id : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
    Initial initial;
    initial.dcid = Buffer(8, id);
    initial.frames = crypto_frame(0, browser_hello("a.example", 32).message());
    datagrams.push_back(initial.protect());
  }
  datagrams[2].back() ^= 1;  // does not open
  const auto keys = make_quic_keys();
  const auto stream = std::make_unique<CryptoStream>();
  ClientHello hello;
  const std::size_t before = allocations;
  for (std::size_t i = 0; i < 30; ++i) {
    QuicConnection connection;
    stream->clear();
    const QuicResult expected = i % 3 == 2 ? QuicResult::not_quic : QuicResult::done;
    ASSERT_EQ(read_client_datagram(datagrams[i % 3], connection, *stream, *keys, hello), expected);
  }
  EXPECT_EQ(allocations, before);
}

TEST(Allocations, NoneForAnHttpRequest) {
  constexpr std::string_view text = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
  HttpRequest request;
  const std::span stream(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const std::size_t before = allocations;
  EXPECT_EQ(parse_http_request(stream, request), Parse::done);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace sallyport::classifier::names
