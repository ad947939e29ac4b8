#include "src/capture_reader.h"

#include <array>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "src/capture_writer.h"
#include "tests/unit/src/capture_builder.h"

namespace sallyport {
namespace {

struct Frame {
  std::uint64_t time_ns;
  std::uint32_t link_type;
  std::string bytes;
  std::uint32_t original_length;
  friend bool operator==(const Frame&, const Frame&) = default;
};
void PrintTo(const Frame& frame, std::ostream* out) {
  *out << frame.time_ns << " link " << frame.link_type << ' ' << testing::PrintToString(frame.bytes) << " of "
       << frame.original_length;
}

struct Read {
  std::vector<Frame> frames;
  std::string error;
};

Read read(const std::string& bytes) {
  const TemporaryFile file(bytes);
  CaptureReader reader(file.path());
  const std::uint64_t counted = reader.error() ? 0 : reader.count_frames();
  Read result;
  CapturedFrame frame;
  while (reader.next(frame)) {
    result.frames.push_back(
        {frame.time_ns, frame.link_type, {frame.data.begin(), frame.data.end()}, frame.original_length});
  }
  if (reader.error()) {
    EXPECT_EQ(reader.error()->kind, CaptureError::Kind::malformed);
    EXPECT_TRUE(reader.error()->message.starts_with(file.path() + ": offset ")) << reader.error()->message;
    result.error = reader.error()->message.substr(file.path().size() + 2);
  }
  EXPECT_GE(counted, result.frames.size());
  EXPECT_TRUE(counted == result.frames.size() || !result.error.empty());
  return result;
}

TEST(CaptureReader, ReadsPcapOfBothByteOrdersAndResolutions) {
  for (const bool big_endian : {false, true}) {
    for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU}) {
      CaptureBuilder file(big_endian);
      file.pcap_head(magic, 113).pcap_record(7, 8, "first").pcap_record(0xffffffff, 999'999, "second", 1500);
      const std::uint64_t unit = magic == 0xa1b2c3d4 ? 1000 : 1;
      const Read got = read(file.bytes());
      EXPECT_EQ(got.error, "");
      EXPECT_EQ(got.frames, (std::vector<Frame>{{7'000'000'000 + 8 * unit, 113, "first", 5},
                                                {4294967295'000'000'000 + 999'999 * unit, 113, "second", 1500}}));
    }
  }
}

TEST(CaptureReader, IgnoresTheCheckSequenceLengthBesideTheLinkType) {
  EXPECT_EQ(
      read(CaptureBuilder().pcap_head(0xa1b2c3d4, 0x44000001).pcap_record(0, 0, "x").bytes()).frames.at(0).link_type,
      1U);
}

TEST(CaptureReader, ReadsPcapngSectionsOfBothByteOrders) {
  CaptureBuilder second(true);
  second.section().interface(276).packet(0, 2'000'000, "big");
  CaptureBuilder file;
  file.section()
      .interface(1)
      .interface(101)
      .packet(1, 1'000'001, "raw")
      .packet(0, 1'000'002, "ether")
      .text(second.bytes());
  const Read got = read(file.bytes());
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.frames,
            (std::vector<Frame>{
                {1'000'001'000, 101, "raw", 3}, {1'000'002'000, 1, "ether", 5}, {2'000'000'000, 276, "big", 3}}));
}

TEST(CaptureReader, InterfacesOfAnEarlierSectionAreGone) {
  CaptureBuilder file;
  file.section().interface(1).section();
  const auto offset = file.bytes().size();
  file.packet(0, 0, "x");
  EXPECT_EQ(read(file.bytes()).error,
            "offset " + std::to_string(offset) + ": a packet of interface 0, which is not declared");
}

TEST(CaptureReader, CountsTimeInTheInterfacesUnits) {
  struct Case {
    std::uint8_t resolution;
    std::int32_t offset_seconds;
    std::uint64_t ticks;
    std::uint64_t time_ns;
  };
  const std::vector<Case> cases = {
      {9, 0, 1'234'567'890'123, 1'234'567'890'123},
      {3, 0, 5, 5'000'000},
      {0, 0, 5, 5'000'000'000},
      {12, 0, 5'000'999, 5000},
      {127, 0, std::numeric_limits<std::uint64_t>::max(), 0},
      {0x80 | 10, 0, 1536, 1'500'000'000},
      {0x80 | 63, 0, std::uint64_t{1} << 62U, 500'000'000},
      {6, 10, 5, 10'000'005'000},
      {6, -1, 3'000'000, 2'000'000'000},
      {6, -10, 5, 0},
      {0, 0, std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()},
  };
  for (const bool big_endian : {false, true}) {
    for (const Case& c : cases) {
      CaptureBuilder file(big_endian);
      CaptureBuilder options = file.body();
      const std::uint32_t sign = c.offset_seconds < 0 ? ~0U : 0U;
      const auto low = static_cast<std::uint32_t>(c.offset_seconds);
      options.u16(1).u16(0).u32(0).u16(2).u16(3).text("eth").pad();
      options.u16(9).u16(1).text(std::string_view(reinterpret_cast<const char*>(&c.resolution), 1)).pad();
      options.u16(14).u16(8).u32(big_endian ? sign : low).u32(big_endian ? low : sign).u16(0).u16(0);
      file.section().block(1, options).packet(0, c.ticks, "x");
      EXPECT_EQ(read(file.bytes()).frames.at(0).time_ns, c.time_ns) << int{c.resolution} << ' ' << c.ticks;
    }
  }
}

TEST(CaptureReader, ReadsSimpleAndOldPacketBlocksAndSkipsTheRest) {
  CaptureBuilder file;
  file.section().interface(1, 4).block(5, file.body().u32(0).u32(0));
  file.packet(0, 7, "full");
  file.block(3, file.body().u32(1500).text("simple--"));
  file.block(0x0bad, file.body().text("a block of somebody"));
  file.block(2, file.body().u16(0).u16(9).u32(0).u32(8).u32(3).u32(60).text("old"));
  const Read got = read(file.bytes());
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.frames, (std::vector<Frame>{{7000, 1, "full", 4}, {7000, 1, "simp", 1500}, {8000, 1, "old", 60}}));
}

TEST(CaptureReader, NamesTheOffsetWhereAFileBreaksOff) {
  CaptureBuilder pcap;
  pcap.pcap_head(0xa1b2c3d4, 1).pcap_record(1, 0, "whole");
  const std::string start = pcap.bytes();
  pcap.pcap_record(2, 0, "partial");
  Read got = read(pcap.bytes().substr(0, pcap.bytes().size() - 1));
  EXPECT_EQ(got.frames.size(), 1U);
  EXPECT_EQ(got.error, "offset " + std::to_string(start.size()) + ": a record of 7 bytes, but 6 are left");
  got = read(start + "abc");
  EXPECT_EQ(got.frames.size(), 1U);
  EXPECT_EQ(got.error, "offset 45: the file ends inside a record's head, 3 bytes left");
}

TEST(CaptureReader, RefusesWhatIsNoCapture) {
  EXPECT_EQ(read("").error, "offset 0: no capture: 0 bytes, expected a pcap or pcapng file");
  EXPECT_EQ(read("#!/bin/sh\necho this is no capture").error,
            "offset 0: no capture: begins with 23212f62, expected a pcap or pcapng file");
  CaptureReader missing("/nonexistent/capture.pcap");
  ASSERT_TRUE(missing.error());
  EXPECT_EQ(missing.error()->kind, CaptureError::Kind::unreadable);
  EXPECT_EQ(missing.error()->message, "/nonexistent/capture.pcap: No such file or directory");
}

TEST(CaptureReader, NamesWhatIsWrongWithABlock) {
  const auto broken = [](auto change) {
    CaptureBuilder file;
    file.section().interface(1);
    change(file);
    return read(file.bytes()).error;
  };
  using B = CaptureBuilder&;
  EXPECT_EQ(broken([](B f) { f.u32(6).u32(10).u32(0); }), "offset 48: a block cannot be 10 bytes long");
  EXPECT_EQ(broken([](B f) { f.u32(6).u32(30).u32(0); }), "offset 48: a block cannot be 30 bytes long");
  EXPECT_EQ(broken([](B f) { f.u32(6).u32(1000).u32(0); }), "offset 48: a block of 1000 bytes, but 12 are left");
  EXPECT_EQ(broken([](B f) { f.u32(5).u32(12).u32(16); }), "offset 48: the block begins as 12 bytes and ends as 16");
  EXPECT_EQ(broken([](B f) { f.block(6, f.body().u32(0)); }), "offset 48: a packet block without content");
  EXPECT_EQ(broken([](B f) { f.block(6, f.body().u32(0).u32(0).u32(0).u32(9).u32(9).text("four")); }),
            "offset 48: a packet of 9 bytes in a block of 24");
  EXPECT_EQ(broken([](B f) { f.block(1, f.body().u32(1)); }), "offset 48: an interface block without content");
  EXPECT_EQ(broken([](B f) { f.block(1, f.body().u32(1).u32(0).u16(2).u16(400)); }),
            "offset 48: an interface option runs past its block");
  EXPECT_EQ(broken([](B f) {
              f.text("\x0a\x0d\x0d\x0a");
              f.u32(28).u32(1).u32(1).u32(1).u32(1).u32(28);
            }),
            "offset 48: a section without byte-order magic");
  EXPECT_EQ(broken([](B f) { f.block(0x0a0d0d0a, f.body().u32(0x1a2b3c4d).u16(2).u16(0).u32(0).u32(0)); }),
            "offset 48: pcapng version 2, expected 1");
  EXPECT_EQ(read(CaptureBuilder().section().block(3, CaptureBuilder().u32(0)).bytes()).error,
            "offset 28: a packet before any interface");
}

// However a capture is cut or changed, it is read to its end or refused: no read outside, no endless loop.
TEST(CaptureReader, SurvivesEveryCutAndEveryChangedByte) {
  CaptureBuilder pcapng;
  pcapng.section().interface(1, 4).packet(0, 7, "full").block(3, pcapng.body().u32(1500).text("simple--"));
  const std::string pcap =
      CaptureBuilder().pcap_head(0xa1b2c3d4, 1).pcap_record(1, 0, "whole").pcap_record(2, 0, "x").bytes();
  for (const std::string& whole : {pcapng.bytes(), pcap}) {
    const std::size_t frames = read(whole).frames.size();
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const Read cut = read(whole.substr(0, i));
      EXPECT_LE(cut.frames.size(), frames);
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 0xff);
      EXPECT_LE(read(changed).frames.size(), frames);
    }
  }
}

TEST(CaptureWriter, ItsFilesAreReadBackAndSayNothingOfTheMachine) {
  const TemporaryFile first;
  const TemporaryFile second;
  const std::array<std::string, 2> names = {"inside", "out"};
  for (const TemporaryFile* file : {&first, &second}) {
    CaptureWriter writer;
    ASSERT_TRUE(writer.open(file->path(), names));
    const std::string big(70'000, 'b');
    const auto as_bytes = [](std::string_view text) {
      return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    };
    writer.write(0, 1'700'000'000'123'456'789, as_bytes("odd"));
    for (int i = 0; i < 40; ++i) writer.write(1, 1'700'000'001'000'000'000, as_bytes(big));
    ASSERT_TRUE(writer.close());
  }
  EXPECT_EQ(first.bytes(), second.bytes());
  EXPECT_NE(first.bytes().find("inside"), std::string::npos);
  const Read got = read(first.bytes());
  EXPECT_EQ(got.error, "");
  ASSERT_EQ(got.frames.size(), 41U);
  EXPECT_EQ(got.frames[0], (Frame{1'700'000'000'123'456'789, 1, "odd", 3}));
  EXPECT_EQ(got.frames[40].bytes, std::string(70'000, 'b'));
}

TEST(CaptureWriter, TellsWhatCouldNotBeWritten) {
  CaptureWriter writer;
  const std::array<std::string, 1> names = {"inside"};
  EXPECT_FALSE(writer.open("/nonexistent/out.pcapng", names));
  EXPECT_EQ(errno, ENOENT);
  ASSERT_TRUE(writer.open("/dev/full", names));
  EXPECT_FALSE(writer.close());
  EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace sallyport
