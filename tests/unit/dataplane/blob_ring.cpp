// Byte strings between two threads: whole, in order, once; full is full.
#include "dataplane/tap/blob_ring.h"

#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sallyport::dataplane {
namespace {

using Bytes = std::vector<std::uint8_t>;

bool push(BlobRing& ring, const Bytes& bytes) {
  const BlobRing::Piece piece(bytes);
  return ring.push({&piece, 1});
}

Bytes take(BlobRing& ring) {
  const BlobRing::Piece blob = ring.front();
  Bytes bytes(blob.begin(), blob.end());
  if (blob.data() != nullptr) ring.pop();
  return bytes;
}

TEST(BlobRing, PutsPiecesTogether) {
  BlobRing ring(256);
  const Bytes first = {1, 2, 3};
  const Bytes second;
  const Bytes third = {4};
  const std::array<BlobRing::Piece, 3> pieces = {first, second, third};
  ASSERT_TRUE(ring.push(pieces));
  EXPECT_EQ(take(ring), (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(ring.front().data(), nullptr);
}

TEST(BlobRing, AFullOneTakesNothingAndKeepsWhatItHas) {
  BlobRing ring(64);
  ASSERT_TRUE(push(ring, Bytes(24, 1)));   // 32 with its head
  ASSERT_FALSE(push(ring, Bytes(25, 2)));  // 40
  ASSERT_TRUE(push(ring, Bytes(24, 3)));
  ASSERT_FALSE(push(ring, Bytes()));
  EXPECT_EQ(take(ring), Bytes(24, 1));
  ASSERT_TRUE(push(ring, Bytes()));
  EXPECT_EQ(take(ring), Bytes(24, 3));
  EXPECT_NE(ring.front().data(), nullptr) << "an empty blob is one";
  ring.pop();
  EXPECT_EQ(ring.front().data(), nullptr);
}

TEST(BlobRing, WhatDoesNotFitBeforeTheEndBeginsAgainAtTheStart) {
  BlobRing ring(64);
  ASSERT_TRUE(push(ring, Bytes(16, 1)));  // 24
  ASSERT_TRUE(push(ring, Bytes(16, 2)));  // 48: 16 are left
  EXPECT_EQ(take(ring), Bytes(16, 1));
  EXPECT_FALSE(push(ring, Bytes(24, 3))) << "32 do not fit into the first 24";
  EXPECT_EQ(take(ring), Bytes(16, 2));
  ASSERT_TRUE(push(ring, Bytes(24, 3)));
  EXPECT_EQ(take(ring), Bytes(24, 3));
  EXPECT_FALSE(push(ring, Bytes(57, 4))) << "longer than the ring";
}

TEST(BlobRing, TwoThreadsSeeEveryBlobOnceAndInOrder) {
  constexpr std::uint32_t count = 100'000;
  BlobRing ring(4096);
  std::thread writer([&] {
    std::minstd_rand random(1);
    for (std::uint32_t i = 0; i < count;) {
      Bytes bytes(4 + random() % 300, static_cast<std::uint8_t>(i));
      std::memcpy(bytes.data(), &i, sizeof i);
      while (!push(ring, bytes)) std::this_thread::yield();
      ++i;
    }
  });
  for (std::uint32_t next = 0; next < count;) {
    const Bytes bytes = take(ring);
    if (bytes.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    EXPECT_EQ(number, next);
    for (std::size_t i = sizeof number; i < bytes.size(); ++i) {
      ASSERT_EQ(bytes[i], static_cast<std::uint8_t>(next));
    }
    ++next;
  }
  writer.join();
}

}  // namespace
}  // namespace sallyport::dataplane
