#include "src/capture_writer.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::size_t flush_bytes = 1U << 20U;
constexpr std::uint16_t link_type_ethernet = 1;
constexpr std::uint16_t option_name = 2;
constexpr std::uint16_t option_resolution = 9;
constexpr std::uint8_t nanoseconds = 9;

constexpr std::uint32_t padded(std::size_t bytes) noexcept { return static_cast<std::uint32_t>((bytes + 3) / 4 * 4); }

}  // namespace

CaptureWriter::~CaptureWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool CaptureWriter::open(const std::string& path, std::span<const std::string> interface_names) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) return false;
  buffer_.reserve(flush_bytes + (1U << 17U));
  put_u32(0x0a0d0d0a);
  put_u32(28);
  put_u32(0x1a2b3c4d);
  put_u16(1);  // version 1.0
  put_u16(0);
  put_u32(~0U);  // the section's length is not told
  put_u32(~0U);
  put_u32(28);
  for (const std::string& name : interface_names) put_interface(name);
  return true;
}

void CaptureWriter::put_interface(std::string_view name) {
  const std::uint32_t length = 12 + 8 + (4 + padded(name.size())) + (4 + 4) + 4;
  put_u32(1);
  put_u32(length);
  put_u16(link_type_ethernet);
  put_u16(0);
  put_u32(0);  // no limit to a frame
  put_u16(option_name);
  put_u16(static_cast<std::uint16_t>(name.size()));
  put_padded(name.data(), name.size());
  put_u16(option_resolution);
  put_u16(1);
  put_padded(&nanoseconds, 1);
  put_u32(0);  // end of options
  put_u32(length);
}

void CaptureWriter::write(std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> frame) {
  const auto bytes = static_cast<std::uint32_t>(frame.size());
  const std::uint32_t length = 32 + padded(bytes);
  const std::array<std::uint32_t, 7> head = {
      6,     length, interface, static_cast<std::uint32_t>(time_ns >> 32U), static_cast<std::uint32_t>(time_ns),
      bytes, bytes};
  put_padded(head.data(), sizeof head);
  put_padded(frame.data(), frame.size());
  put_u32(length);
  if (buffer_.size() >= flush_bytes) flush();
}

bool CaptureWriter::close() {
  if (descriptor_ < 0) return true;
  flush();
  if (::close(descriptor_) != 0 && failed_ == 0) failed_ = errno;
  descriptor_ = -1;
  errno = failed_;
  return failed_ == 0;
}

void CaptureWriter::put_u16(std::uint16_t value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  buffer_.insert(buffer_.end(), bytes, bytes + sizeof value);
}

void CaptureWriter::put_u32(std::uint32_t value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  buffer_.insert(buffer_.end(), bytes, bytes + sizeof value);
}

void CaptureWriter::put_padded(const void* bytes, std::size_t count) {
  const auto* first = static_cast<const std::uint8_t*>(bytes);
  buffer_.insert(buffer_.end(), first, first + count);
  buffer_.resize(buffer_.size() + padded(count) - count);
}

void CaptureWriter::flush() {
  std::size_t done = 0;
  while (failed_ == 0 && done < buffer_.size()) {
    const ssize_t wrote = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno != EINTR) {
      failed_ = errno;
    }
  }
  buffer_.clear();
}

}  // namespace sallyport
