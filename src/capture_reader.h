// Reads pcap (both byte orders, microseconds and nanoseconds) and pcapng (sections of either byte order, several
// interfaces, any time resolution; enhanced, simple and the old packet blocks), without copying.
//
// Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. A file that breaks off or is malformed yields what stands
// before that place; then next() answers false and error() says what is wrong at which offset.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/capture_file.h"

namespace sallyport {

struct CapturedFrame {
  std::uint64_t time_ns = 0;           // since the epoch
  bool timed = true;                   // false: a simple packet block, which has no time; that of the frame before
  std::uint32_t link_type = 0;         // LINKTYPE_ value, as the file has it
  std::uint32_t original_length = 0;   // on the wire; at least as much as was captured
  std::span<const std::uint8_t> data;  // valid as long as the reader lives
};

struct CaptureError {
  enum class Kind : std::uint8_t {
    unreadable,  // the file cannot be opened or read
    malformed,   // it is no capture, or broken
  };
  Kind kind = Kind::malformed;
  std::string message;  // with the file's name and the offset
};

class CaptureReader {
 public:
  // Opens and reads the head of the file. Frames may only be asked for while error() is empty.
  explicit CaptureReader(const std::string& path);

  // False: the end, or an error.
  [[nodiscard]] bool next(CapturedFrame& frame);
  // How many frames there are at most: that many, unless something is wrong with one.
  [[nodiscard]] std::uint64_t count_frames() const noexcept;
  // Of the whole file.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
  [[nodiscard]] const std::optional<CaptureError>& error() const noexcept { return error_; }

 private:
  enum class Format : std::uint8_t { pcap, pcapng };
  struct Interface {
    std::uint32_t link_type = 0;
    std::uint32_t snap_length = 0;    // 0: none
    std::uint8_t resolution = 6;      // if_tsresol: negative power of 10, with the top bit set of 2
    std::int64_t offset_seconds = 0;  // if_tsoffset
  };
  struct Block {
    std::size_t offset = 0;  // of the block in the file
    std::uint32_t type = 0;
    std::span<const std::uint8_t> body;
  };

  bool fail(std::size_t offset, const std::string& what);
  [[nodiscard]] std::uint16_t u16(const std::uint8_t* at) const noexcept;
  [[nodiscard]] std::uint32_t u32(const std::uint8_t* at) const noexcept;

  void read_pcap_head();
  [[nodiscard]] bool next_pcap(CapturedFrame& frame);
  [[nodiscard]] bool next_pcapng(CapturedFrame& frame);
  void fetch_ahead() noexcept;
  [[nodiscard]] bool next_block(Block& block);
  [[nodiscard]] bool read_section(std::size_t left);
  [[nodiscard]] bool read_interface(const Block& block);
  [[nodiscard]] bool read_packet(const Block& block, CapturedFrame& frame);
  [[nodiscard]] bool read_simple_packet(const Block& block, CapturedFrame& frame);

  std::string path_;
  CaptureFile file_;
  std::span<const std::uint8_t> bytes_;
  std::size_t offset_ = 0;
  std::size_t fetched_ = 0;  // up to here from memory
  Format format_ = Format::pcap;
  bool swapped_ = false;               // written on a machine of the other byte order
  std::uint32_t link_type_ = 0;        // pcap
  std::uint32_t fraction_ns_ = 1000;   // pcap: nanoseconds of one unit of the fraction
  std::vector<Interface> interfaces_;  // pcapng: of the current section
  std::uint64_t last_time_ns_ = 0;
  std::optional<CaptureError> error_;
};

}  // namespace sallyport
