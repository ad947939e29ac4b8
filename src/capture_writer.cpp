#include "src/capture_writer.h"

#include <array>
#include <bit>

namespace sallyport {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t block_section = 0x0a0d0d0a;
constexpr std::uint32_t block_interface = 1;
constexpr std::uint32_t block_packet = 6;
constexpr std::uint16_t link_type_ethernet = 1;
constexpr std::uint16_t option_comment = 1;
constexpr std::uint16_t option_name = 2;
constexpr std::uint16_t option_resolution = 9;
constexpr std::uint16_t nanoseconds = 9;

constexpr std::uint32_t padding(std::size_t bytes) noexcept { return static_cast<std::uint32_t>(-bytes % 4); }

// Words of 32 bits, in this machine's byte order; the section's head says which that is.
template <std::size_t count>
std::span<const std::uint8_t> bytes_of(const std::array<std::uint32_t, count>& words) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(words.data()), count * 4};
}

constexpr std::uint32_t option(std::uint16_t code, std::size_t length) noexcept {
  return static_cast<std::uint32_t>(length << 16U) | code;
}

void put_section(OutputFile& file) {
  constexpr std::uint32_t length = 28;
  constexpr std::uint32_t version = 1;  // 1.0
  constexpr std::uint32_t not_told = ~0U;
  file.append(bytes_of(std::array{block_section, length, 0x1a2b3c4dU, version, not_told, not_told, length}));
}

void put_interface(OutputFile& file, const std::string& name) {
  constexpr std::uint32_t no_limit = 0;
  constexpr std::uint32_t end_of_options = 0;
  constexpr std::array<std::uint8_t, 3> zeros{};
  const auto name_bytes = static_cast<std::uint32_t>(name.size()) + padding(name.size());
  const std::uint32_t length = 36 + name_bytes;
  file.append(bytes_of(std::array{block_interface, length, std::uint32_t{link_type_ethernet}, no_limit,
                                  option(option_name, name.size())}));
  file.append(name);
  file.append(std::span(zeros).first(padding(name.size())));
  file.append(bytes_of(std::array{option(option_resolution, 1), std::uint32_t{nanoseconds}, end_of_options, length}));
}

}  // namespace

bool CaptureWriter::open(const std::string& path, std::span<const std::string> interface_names) {
  if (!file_.open(path)) return false;
  begin(interface_names);
  return true;
}

bool CaptureWriter::open_standard_output(std::span<const std::string> interface_names) {
  if (!file_.open_standard_output()) return false;
  begin(interface_names);
  return true;
}

void CaptureWriter::begin(std::span<const std::string> interface_names) {
  put_section(file_);
  for (const std::string& name : interface_names) put_interface(file_, name);
}

void CaptureWriter::write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> frame,
                          std::uint32_t original_length, std::string_view comment) {
  const auto bytes = static_cast<std::uint32_t>(frame.size());
  const std::uint32_t pad = padding(bytes);
  const auto comment_bytes = static_cast<std::uint32_t>(comment.size()) + padding(comment.size());
  const std::uint32_t options = comment.empty() ? 0 : 4 + comment_bytes + 4;
  const std::uint32_t length = 32 + bytes + pad + options;
  file_.append(bytes_of(std::array{block_packet, length, interface, static_cast<std::uint32_t>(time_ns >> 32U),
                                   static_cast<std::uint32_t>(time_ns), bytes, original_length}));
  file_.append(frame);
  constexpr std::array<std::uint8_t, 4> zeros{};
  file_.append(std::span(zeros).first(pad));
  if (!comment.empty()) {
    constexpr std::uint32_t end_of_options = 0;
    file_.append(bytes_of(std::array{option(option_comment, comment.size())}));
    file_.append(comment);
    file_.append(std::span(zeros).first(padding(comment.size())));
    file_.append(bytes_of(std::array{end_of_options}));
  }
  file_.append(bytes_of(std::array{length}));
}

}  // namespace sallyport
