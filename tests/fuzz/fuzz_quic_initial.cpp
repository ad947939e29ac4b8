// Datagrams of one QUIC flow. Most of the input becomes the frames of Initial packets that are protected here, or the
// fuzzer would never get past the tag; the rest goes in as it is. Two readers, whose keys have seen different
// connections before, must agree.
//
// The input is a row of datagrams: how it is made (1 byte), its length (2 bytes), its content.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "classifier/names/quic_initial.h"
#include "classifier/names/quic_keys.h"
#include "tests/fuzz/cuts.h"
#include "tests/unit/classifier/names_quic_builder.h"

namespace {

using namespace sallyport::classifier::names;
using sallyport::fuzz::insist;

struct ReaderOfOne {
  std::unique_ptr<QuicKeys, QuicKeysDeleter> keys = make_quic_keys();
  std::unique_ptr<CryptoStream> stream = std::make_unique<CryptoStream>();
  QuicConnection connection;
  ClientHello hello;

  void start() {
    stream->clear();
    connection = {};
  }
  QuicResult read(const Buffer& datagram) {
    const QuicResult result = read_client_datagram(datagram, connection, *stream, *keys, hello);
    insist(result == QuicResult::done || !hello.has_server_name);
    insist(stream->contiguous().size() <= CryptoStream::capacity);
    return result;
  }
};

// The bits of the first byte of each datagram.
constexpr unsigned as_it_is = 0x01;
constexpr unsigned from_server = 0x02;
constexpr unsigned other_connection = 0x04;
constexpr unsigned ids_of_server = 0x08;
constexpr unsigned version_shift = 4;

Buffer protect(unsigned how, Buffer frames) {
  Initial initial;
  const QuicVersion& version = quic_versions[(how >> version_shift) % quic_versions.size()];
  initial.version = version.first;
  if ((how & other_connection) != 0) initial.dcid = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  initial.from_server = (how & from_server) != 0;
  if ((how & ids_of_server) != 0) {
    initial.key_dcid = initial.dcid;
    initial.dcid = {0x5e};
  }
  frames.resize(std::min<std::size_t>(frames.size(), 4000));
  initial.frames = std::move(frames);
  return initial.protect();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ReaderOfOne fresh;
  static ReaderOfOne used;
  static const Buffer another = protect(other_connection, crypto_frame(0, Buffer{1, 0, 1, 0}));
  used.start();
  insist(used.read(another) == QuicResult::need_more);
  fresh.start();
  used.start();

  for (Reader input({data, size}); !input.empty();) {
    const unsigned how = input.u8();
    const Bytes content = input.bytes(std::min<std::size_t>(input.u16(), input.left()));
    Buffer datagram(content.begin(), content.end());
    if ((how & as_it_is) == 0) datagram = protect(how, std::move(datagram));
    if ((how & from_server) != 0) {
      read_server_datagram(datagram, fresh.connection, *fresh.keys);
      read_server_datagram(datagram, used.connection, *used.keys);
      insist(fresh.connection.accepted == used.connection.accepted);
      insist(fresh.connection.asked_again == used.connection.asked_again);
      continue;
    }
    const QuicResult result = fresh.read(datagram);
    insist(used.read(datagram) == result);
    insist(fresh.hello.server_name == used.hello.server_name && fresh.hello.ech == used.hello.ech);
    if (result != QuicResult::need_more && result != QuicResult::not_quic) break;
  }
  return 0;
}
