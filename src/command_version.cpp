#include "src/command_version.h"

#include <string_view>

#include <fmt/format.h>

#include "classifier/host_patterns.h"
#include "classifier/sha256.h"
#include "dataplane/io/gateway.h"

namespace sallyport {
namespace {

// Hyperscan and DPDK choose by the processor when they start; our own code is built for one instruction set.
std::string_view processor_simd() {
  if (__builtin_cpu_supports("avx512vbmi") != 0) return "AVX-512 VBMI";
  if (__builtin_cpu_supports("avx512bw") != 0) return "AVX-512";
  if (__builtin_cpu_supports("avx2") != 0) return "AVX2";
  return "SSE4.2";
}

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

ExitCode version_command() {
  fmt::print("sallyport   {}\n", SALLYPORT_VERSION);
  fmt::print("DPDK        {}\n", dataplane::Gateway::dpdk_version());
  fmt::print("Hyperscan   {}\n", classifier::HostPatterns::hyperscan_version());
  fmt::print("OpenSSL     {}\n", without_name(classifier::Sha256::openssl_version()));
  fmt::print("SIMD        {} (built for {})\n", processor_simd(), built_simd());
  return ExitCode::done;
}

}  // namespace sallyport
