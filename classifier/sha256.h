// SHA-256 of a stream of bytes (FIPS 180-4), by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sallyport::classifier {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  // Lower case hexadecimal, 64 digits; once, at the end.
  [[nodiscard]] std::string finish();

  // "OpenSSL 3.0.17 1 Jul 2025": of the library that is loaded.
  [[nodiscard]] static std::string_view openssl_version() noexcept;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace sallyport::classifier
