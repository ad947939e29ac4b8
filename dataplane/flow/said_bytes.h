// What clients have said that decides where their requests begin and end, until their servers have acknowledged it: it
// may have been lost on the way to the server, and nothing else may be said in its place.
//
// A flow has a chain of blocks, in the order of its stream; what lies between two of them is of bodies. The blocks are
// shared by all flows; there are so many, and a flow may have so many of them, its client no more than it leaves.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/flow/shares.h"
#include "dataplane/flow/slots.h"

namespace sallyport::dataplane {

// Is `a` behind `b`, as sequence numbers of TCP go?
[[nodiscard]] constexpr bool after(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) > 0;
}

struct SaidBytes {
  std::uint32_t first = 0, last = 0;  // blocks; 0: none
  std::uint32_t blocks = 0;
  SharePlace sender;
};

class SaidBook {
 public:
  static constexpr std::uint32_t blocks_per_flow_max = 1024;

  explicit SaidBook(std::uint32_t blocks) : blocks_(blocks), shares_(blocks, blocks_per_flow_max) {}

  [[nodiscard]] bool has_room(const SaidBytes& said, std::size_t count) const noexcept {
    const std::size_t wanted = count / block_bytes + 1;
    return said.blocks + wanted <= blocks_per_flow_max && shares_.has_room(said.sender, wanted) &&
           wanted <= blocks_.capacity() - blocks_.in_use();
  }
  // Behind all that was added before; there is room for it.
  void add(SaidBytes& said, std::uint32_t sequence, std::span<const std::uint8_t> bytes) noexcept {
    while (!bytes.empty()) {
      Block& block = block_for(said, sequence);
      const std::size_t taken = std::min(bytes.size(), block_bytes - block.count);
      std::memcpy(&block.bytes[block.count], bytes.data(), taken);
      block.count = static_cast<std::uint16_t>(block.count + taken);
      sequence += static_cast<std::uint32_t>(taken);
      bytes = bytes.subspan(taken);
    }
  }
  // Are these bytes the same, as far as they are known?
  [[nodiscard]] bool agrees(const SaidBytes& said, std::uint32_t sequence,
                            std::span<const std::uint8_t> bytes) const noexcept {
    const std::uint32_t end = sequence + static_cast<std::uint32_t>(bytes.size());
    for (std::uint32_t number = said.first; number != 0; number = blocks_[number].next) {
      const Block& block = blocks_[number];
      const std::uint32_t from = after(block.sequence, sequence) ? block.sequence : sequence;
      const std::uint32_t to = after(block.end(), end) ? end : block.end();
      if (after(to, from) && std::memcmp(&block.bytes[from - block.sequence], &bytes[from - sequence], to - from) != 0)
        return false;
    }
    return true;
  }
  // The server has everything up to here.
  void acknowledge(SaidBytes& said, std::uint32_t end) noexcept {
    while (said.first != 0 && !after(blocks_[said.first].end(), end)) drop_first(said);
  }
  void forget(SaidBytes& said) noexcept {
    while (said.first != 0) drop_first(said);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return blocks_.bytes() + shares_.bytes(); }

 private:
  static constexpr std::size_t block_bytes = 500;
  struct Block {
    std::uint32_t sequence;
    std::uint32_t next;
    std::uint16_t count;
    std::array<std::uint8_t, block_bytes> bytes;
    [[nodiscard]] std::uint32_t end() const noexcept { return sequence + count; }
  };

  // The last one if it goes on there, else a new one.
  [[nodiscard]] Block& block_for(SaidBytes& said, std::uint32_t sequence) noexcept {
    if (said.last != 0 && blocks_[said.last].end() == sequence && blocks_[said.last].count < block_bytes)
      return blocks_[said.last];
    const std::uint32_t number = blocks_.take();
    (said.last != 0 ? blocks_[said.last].next : said.first) = number;
    said.last = number;
    ++said.blocks;
    shares_.take(said.sender);
    Block& block = blocks_[number];
    block.sequence = sequence;
    block.next = 0;
    block.count = 0;
    return block;
  }
  void drop_first(SaidBytes& said) noexcept {
    const std::uint32_t number = said.first;
    said.first = blocks_[number].next;
    if (said.first == 0) said.last = 0;
    --said.blocks;
    shares_.give_back(said.sender);
    blocks_.give_back(number);
  }

  Slots<Block> blocks_;
  Shares shares_;
};

}  // namespace sallyport::dataplane
