#include "classifier/names/hpack.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <nghttp2/nghttp2.h>

#include "classifier/names/hpack_memory.h"

namespace sallyport::classifier::names {

class HpackMemory {
 public:
  explicit HpackMemory(std::size_t bytes) : pieces(bytes) {}

  PieceMemory pieces;
  nghttp2_mem callbacks{this, take, give_back, take_cleared, take_again};

 private:
  static PieceMemory& of(void* memory) noexcept { return static_cast<HpackMemory*>(memory)->pieces; }
  static void* take(std::size_t bytes, void* memory) { return of(memory).take(bytes); }
  static void give_back(void* piece, void* memory) { of(memory).give_back(piece); }
  static void* take_cleared(std::size_t count, std::size_t bytes, void* memory) {
    void* piece = bytes != 0 && count > SIZE_MAX / bytes ? nullptr : of(memory).take(count * bytes);
    if (piece != nullptr) std::memset(piece, 0, count * bytes);
    return piece;
  }
  static void* take_again(void* piece, std::size_t bytes, void* memory) {
    if (piece != nullptr && bytes <= PieceMemory::size_of(piece)) return piece;
    void* larger = of(memory).take(bytes);
    if (larger == nullptr || piece == nullptr) return larger;
    std::memcpy(larger, piece, PieceMemory::size_of(piece));
    of(memory).give_back(piece);
    return larger;
  }
};

namespace {

nghttp2_hd_inflater* library_of(Inflater* inflater) noexcept {
  return reinterpret_cast<nghttp2_hd_inflater*>(inflater);
}

// False: no room for one more.
[[nodiscard]] bool add(const nghttp2_nv& field, FieldRoom& room) noexcept {
  if (room.field_count == room.fields.size() || room.text.size() - room.text_bytes < field.namelen + field.valuelen)
    return false;
  char* name = room.text.data() + room.text_bytes;
  std::copy_n(field.name, field.namelen, name);
  std::copy_n(field.value, field.valuelen, name + field.namelen);
  room.fields[room.field_count++] = {{name, field.namelen}, {name + field.namelen, field.valuelen}};
  room.text_bytes += field.namelen + field.valuelen;
  return true;
}

}  // namespace

void HpackMemoryDeleter::operator()(HpackMemory* memory) const noexcept { delete memory; }

std::unique_ptr<HpackMemory, HpackMemoryDeleter> make_hpack_memory(std::size_t bytes) {
  return std::unique_ptr<HpackMemory, HpackMemoryDeleter>(new HpackMemory(bytes));
}

std::size_t bytes_of(const HpackMemory& memory) noexcept { return memory.pieces.bytes(); }

std::size_t bytes_in_use(const HpackMemory& memory) noexcept { return memory.pieces.in_use(); }

Inflater* begin_inflater(HpackMemory& memory) noexcept {
  nghttp2_hd_inflater* made = nullptr;
  return nghttp2_hd_inflate_new2(&made, &memory.callbacks) == 0 ? reinterpret_cast<Inflater*>(made) : nullptr;
}

void end_inflater(Inflater* inflater) noexcept {
  if (inflater != nullptr) nghttp2_hd_inflate_del(library_of(inflater));
}

bool offer_table(HpackMemory& memory, Inflater& inflater, std::uint32_t bytes) noexcept {
  if (memory.pieces.in_use() > memory.pieces.bytes() / 2) return false;
  return nghttp2_hd_inflate_change_table_size(library_of(&inflater), std::min(bytes, table_bytes_max)) == 0;
}

Parse inflate(Inflater& inflater, std::span<const std::uint8_t> piece, bool last, FieldRoom& room) noexcept {
  nghttp2_hd_inflater* library = library_of(&inflater);
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t taken = nghttp2_hd_inflate_hd2(library, &field, &flags, piece.data(), piece.size(), last ? 1 : 0);
    if (taken < 0) return taken == NGHTTP2_ERR_NOMEM ? Parse::too_large : Parse::malformed;
    piece = piece.subspan(static_cast<std::size_t>(taken));
    const bool emitted = (flags & NGHTTP2_HD_INFLATE_EMIT) != 0;
    if (emitted && !add(field, room)) return Parse::too_large;
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      (void)nghttp2_hd_inflate_end_headers(library);
      return Parse::done;
    }
    if (!emitted && piece.empty()) return last ? Parse::malformed : Parse::need_more;
  }
}

}  // namespace sallyport::classifier::names
