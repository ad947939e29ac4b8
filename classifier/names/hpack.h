// Header blocks of HTTP/2 (RFC 7541), decompressed by nghttp2.
//
// What a block means depends on all blocks before it, so each connection has an Inflater, fed with every block of the
// client's once, in order. Their memory is taken at start, from one HpackMemory; where none is left there is no
// Inflater, or a block is too_large. The client may use the dynamic table that servers offer by default, 4096 bytes; a
// larger one where its server has offered that, up to 64 KiB and while half of the memory is free.
//
// The client says in its blocks how large a table it uses (section 6.3), so an offer is only the limit of that: it need
// not be taken back, nor wait for the client's acknowledgment. A server with a smaller table has fewer entries, and
// takes any other index for an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "classifier/names/http_head.h"
#include "classifier/names/parse.h"

namespace sallyport::classifier::names {

class HpackMemory;
struct HpackMemoryDeleter {
  void operator()(HpackMemory* memory) const noexcept;
};
[[nodiscard]] std::unique_ptr<HpackMemory, HpackMemoryDeleter> make_hpack_memory(std::size_t bytes);
[[nodiscard]] std::size_t bytes_of(const HpackMemory& memory) noexcept;
[[nodiscard]] std::size_t bytes_in_use(const HpackMemory& memory) noexcept;

class Inflater;
[[nodiscard]] Inflater* begin_inflater(HpackMemory& memory) noexcept;  // null: no room
void end_inflater(Inflater* inflater) noexcept;
inline constexpr std::uint32_t default_table_bytes = 4096, table_bytes_max = 65536;
// The server takes a table of so many bytes, more than before. False: there is no room for a larger one.
[[nodiscard]] bool offer_table(HpackMemory& memory, Inflater& inflater, std::uint32_t bytes) noexcept;

// Where the fields of a block go: themselves and their text, which an inflater keeps no longer than it has to.
struct FieldRoom {
  std::span<HeaderField> fields;
  std::span<char> text;
  std::size_t field_count = 0;
  std::size_t text_bytes = 0;
};
// A piece of a block; `last`: the block ends with it. need_more: it does not. malformed, too_large: the inflater is of
// no use any more.
[[nodiscard]] Parse inflate(Inflater& inflater, std::span<const std::uint8_t> piece, bool last,
                            FieldRoom& room) noexcept;

}  // namespace sallyport::classifier::names
