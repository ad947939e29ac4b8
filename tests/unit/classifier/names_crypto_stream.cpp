#include <algorithm>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "classifier/names/quic_initial.h"
#include "tests/unit/classifier/names_hello_builder.h"

namespace sallyport::classifier::names {
namespace {

using Add = CryptoStream::Add;

class CryptoStreamTest : public testing::Test {
 protected:
  [[nodiscard]] Buffer contiguous() const { return {stream->contiguous().begin(), stream->contiguous().end()}; }
  std::unique_ptr<CryptoStream> stream = std::make_unique<CryptoStream>();
};

TEST_F(CryptoStreamTest, GrowsInOrder) {
  EXPECT_TRUE(contiguous().empty());
  EXPECT_EQ(stream->add(0, text("abc")), Add::ok);
  EXPECT_EQ(stream->add(3, text("def")), Add::ok);
  EXPECT_EQ(stream->add(6, {}), Add::ok);
  EXPECT_EQ(contiguous(), text("abcdef"));
}

TEST_F(CryptoStreamTest, Case100GapsAreFilledInAnyOrder) {
  std::mt19937 random(100);
  Buffer whole(5000);
  for (std::uint8_t& byte : whole) byte = static_cast<std::uint8_t>(random());
  for (int round = 0; round < 50; ++round) {
    stream->clear();
    std::vector<std::size_t> cuts{0, whole.size()};
    for (int cut = 0; cut < 30; ++cut) cuts.push_back(random() % whole.size());
    std::sort(cuts.begin(), cuts.end());
    std::vector<std::size_t> order(cuts.size() - 1);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t piece : order) {
      const auto bytes = std::span(whole).subspan(cuts[piece], cuts[piece + 1] - cuts[piece]);
      ASSERT_EQ(stream->add(cuts[piece], bytes), Add::ok);
    }
    ASSERT_EQ(contiguous(), whole);
  }
}

TEST_F(CryptoStreamTest, OverlapWithTheSameBytesIsNoConflict) {
  EXPECT_EQ(stream->add(2, text("cdef")), Add::ok);
  EXPECT_EQ(stream->add(0, text("abcd")), Add::ok);
  EXPECT_EQ(stream->add(0, text("abcdefgh")), Add::ok);
  EXPECT_EQ(contiguous(), text("abcdefgh"));
}

TEST_F(CryptoStreamTest, ConflictLeavesTheStreamAsItWas) {
  EXPECT_EQ(stream->add(70, text("XY")), Add::ok);
  EXPECT_EQ(stream->add(0, text("abc")), Add::ok);
  EXPECT_EQ(stream->add(2, Buffer(80, 'c')), Add::conflict);
  EXPECT_EQ(stream->add(69, text("?XZ")), Add::conflict);
  EXPECT_EQ(contiguous(), text("abc"));
  EXPECT_EQ(stream->add(3, Buffer(67, '-')), Add::ok);
  EXPECT_EQ(contiguous().size(), 72u);
  EXPECT_EQ(contiguous()[70], 'X');
  EXPECT_EQ(contiguous()[71], 'Y');
}

TEST_F(CryptoStreamTest, CapacityIsTheLimitToTheByte) {
  EXPECT_EQ(stream->add(0, Buffer(CryptoStream::capacity, 7)), Add::ok);
  EXPECT_EQ(contiguous().size(), CryptoStream::capacity);
  EXPECT_EQ(stream->add(CryptoStream::capacity - 1, Buffer(2, 7)), Add::too_large);
  EXPECT_EQ(stream->add(CryptoStream::capacity, Buffer(1, 7)), Add::too_large);
  EXPECT_EQ(stream->add(~std::uint64_t{0}, Buffer(2, 7)), Add::too_large);
}

TEST_F(CryptoStreamTest, EveryLengthAtEveryBitOfAWord) {
  for (std::size_t offset = 0; offset < 130; ++offset) {
    for (std::size_t length = 1; length < 130; ++length) {
      stream->clear();
      ASSERT_EQ(stream->add(offset, Buffer(length, 1)), Add::ok);
      ASSERT_EQ(stream->contiguous().size(), offset == 0 ? length : 0);
      ASSERT_EQ(stream->add(0, Buffer(offset, 1)), Add::ok);
      ASSERT_EQ(stream->contiguous().size(), offset + length);
      ASSERT_EQ(stream->add(offset + length - 1, Buffer(1, 2)), Add::conflict);
    }
  }
}

}  // namespace
}  // namespace sallyport::classifier::names
