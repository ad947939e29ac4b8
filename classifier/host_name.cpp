#include "classifier/host_name.h"

namespace sallyport::classifier {
namespace {

// The byte in lower case, or 0 where no label may hold it.
constexpr char folded(char byte) noexcept {
  if (byte >= 'A' && byte <= 'Z') return static_cast<char>(byte - 'A' + 'a');
  const bool allowed = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
  return allowed ? byte : '\0';
}

// Four labels of digits: what inet_aton would take for an address, and no top-level domain is a number (RFC 3696
// section 2).
bool is_ipv4_literal(std::string_view name) noexcept {
  std::size_t labels = 1;
  for (const char byte : name) {
    if (byte == '.') {
      ++labels;
    } else if (byte < '0' || byte > '9') {
      return false;
    }
  }
  return labels == 4;
}

}  // namespace

std::optional<HostName> normalise(std::string_view shown) noexcept {
  if (!shown.empty() && shown.back() == '.') shown.remove_suffix(1);
  if (shown.empty() || shown.size() > HostName::bytes_max) return std::nullopt;
  HostName name;
  std::size_t label = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] == '.') {
      if (label == 0) return std::nullopt;
      label = 0;
      name.bytes_[i] = '.';
      continue;
    }
    name.bytes_[i] = folded(shown[i]);
    if (name.bytes_[i] == '\0' || ++label > HostName::label_bytes_max) return std::nullopt;
  }
  if (label == 0) return std::nullopt;
  name.size_ = static_cast<std::uint8_t>(shown.size());
  if (is_ipv4_literal(name.view())) return std::nullopt;
  return name;
}

std::optional<HostName> normalise_host(std::string_view host) noexcept {
  const std::size_t colon = host.find(':');
  if (colon == std::string_view::npos) return normalise(host);
  const std::string_view port = host.substr(colon + 1);
  if (port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return normalise(host.substr(0, colon));
}

}  // namespace sallyport::classifier
