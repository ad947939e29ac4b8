#include "src/command_version.h"

#include <string_view>

#include <fmt/format.h>

#include "classifier/host_patterns.h"
#include "classifier/prefix_trie.h"
#include "classifier/sha256.h"
#include "dataplane/io/gateway.h"

namespace sallyport {
namespace {

constexpr std::string_view built_simd() {
#if defined(__AVX512BW__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#else
  return "SSE";
#endif
}

// "OpenSSL 3.0.17 1 Jul 2025" -> "3.0.17 1 Jul 2025"
std::string_view without_name(std::string_view text) {
  const std::size_t space = text.find(' ');
  return space == std::string_view::npos ? text : text.substr(space + 1);
}

}  // namespace

std::string simd_level() {
  return fmt::format("{}; prefixes in batches: {}", built_simd(), classifier::PrefixTrie::batch_way());
}

ExitCode version_command() {
  fmt::print("sallyport   {}\n", SALLYPORT_VERSION);
  fmt::print("DPDK        {}\n", dataplane::Gateway::dpdk_version());
  fmt::print("Hyperscan   {}\n", classifier::HostPatterns::hyperscan_version());
  fmt::print("OpenSSL     {}\n", without_name(classifier::Sha256::openssl_version()));
  fmt::print("SIMD        {}\n", simd_level());
  return ExitCode::done;
}

}  // namespace sallyport
