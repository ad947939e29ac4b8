// Hash, keys and tables against DPDK's own Toeplitz hash, which devices are held to.
#include "dataplane/steering.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rte_thash.h>

#include "dataplane/flow/port_choice.h"
#include "tests/unit/dataplane/packet_maker.h"

namespace sallyport::dataplane {
namespace {

using test::address;

// What a device hashes of a packet: both addresses, and the ports where there are some.
struct Input {
  IpAddress from, to;
  std::uint16_t from_port = 0, to_port = 0;

  [[nodiscard]] std::vector<std::uint8_t> bytes(bool with_ports = true) const {
    std::vector<std::uint8_t> all(from.bytes.begin(), from.bytes.begin() + address_bytes(from.family));
    all.insert(all.end(), to.bytes.begin(), to.bytes.begin() + address_bytes(to.family));
    if (!with_ports) return all;
    for (const std::uint16_t port : {from_port, to_port}) {
      all.push_back(static_cast<std::uint8_t>(port >> 8U));
      all.push_back(static_cast<std::uint8_t>(port));
    }
    return all;
  }
};

std::uint32_t hash_of(const HashKey& key, const std::vector<std::uint8_t>& bytes) {
  std::vector<std::uint32_t> words(bytes.size() / 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) words[i / 4] = words[i / 4] << 8U | bytes[i];
  std::array<std::uint32_t, 11> aligned{};
  std::memcpy(aligned.data(), key.data(), key.size());
  return rte_softrss(words.data(), static_cast<std::uint32_t>(words.size()),
                     reinterpret_cast<const std::uint8_t*>(aligned.data()));
}

// The queue that a device of `entries` takes for a hash, whose table is filled as the gateway fills it.
std::uint32_t queue_of(std::uint32_t hash, std::uint32_t entries, std::uint32_t workers) {
  return bucket_owner(bucket_of_entry(hash % entries), workers);
}

constexpr std::uint32_t table_sizes[] = {128, 256, 512, 1024, 2048};

// "Verifying the RSS Hash Calculation", Microsoft.
TEST(Toeplitz, VerificationSuite) {
  struct Vector {
    const char* to;
    std::uint16_t to_port;
    const char* from;
    std::uint16_t from_port;
    std::uint32_t addresses, with_ports;
  };
  for (const Vector& v : {
           Vector{"161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178},
           Vector{"65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea},
           Vector{"12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de, 0x5c2b394a},
           Vector{"209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f},
           Vector{"202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5, 0x10e828a2},
           Vector{"3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x2cc18cd5, 0x40207d3d},
           Vector{"ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0x0f0c461c, 0xdde51bbf},
           Vector{"fe80::200:f8ff:fe21:67cf", 38024, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, 0x4b61e985,
                  0x02d1feef},
       }) {
    const Input input{address(v.from), address(v.to), v.from_port, v.to_port};
    EXPECT_EQ(toeplitz(usual_key, input.bytes(false)), v.addresses) << v.from;
    EXPECT_EQ(toeplitz(usual_key, input.bytes()), v.with_ports) << v.from;
    EXPECT_EQ(hash_of(usual_key, input.bytes()), v.with_ports) << v.from;
  }
}

class Inputs {
 public:
  Input next(Family family) {
    Input input{random_address(family), random_address(family), port(), port()};
    return input;
  }
  IpAddress random_address(Family family) {
    IpAddress made{family, {}};
    std::generate_n(made.bytes.begin(), address_bytes(family), [&] { return static_cast<std::uint8_t>(random_()); });
    return made;
  }
  std::uint16_t port() { return static_cast<std::uint16_t>(random_()); }

 private:
  std::mt19937 random_{1};  // NOLINT: the same each time
};

// Outside, whatever else there is in the packet: IPv4 on any device, both families on one that leaves the rest out.
TEST(Steering, EveryPortComesToItsOwner) {
  Inputs inputs;
  for (const std::uint32_t piece : {1U, 64U, 512U}) {
    ASSERT_TRUE(can_be_steered(piece));
    for (const bool no_source : {false, true}) {
      const HashKey key = port_key(no_source, piece);
      for (const Family family : {Family::v4, Family::v6}) {
        if (family == Family::v6 && !no_source) continue;
        for (std::uint32_t port = 0; port < 65536; ++port) {
          Input input = inputs.next(family);
          input.to_port = static_cast<std::uint16_t>(port);
          if (family == Family::v6) input.from = IpAddress{family, {}};
          const std::uint32_t hash = hash_of(key, input.bytes());
          const std::uint32_t workers = 1 + port % 64;
          for (const std::uint32_t entries : table_sizes) {
            ASSERT_EQ(queue_of(hash, entries, workers), port_owner(input.to_port, workers, piece))
                << port << " of " << workers << " by " << entries;
          }
        }
      }
    }
  }
}

TEST(Steering, EverySenderComesToItsOwner) {
  Inputs inputs;
  for (const bool source_only : {false, true}) {
    const HashKey key = sender_key(source_only);
    for (const Family family : {Family::v4, Family::v6}) {
      if (family == Family::v6 && !source_only) continue;
      for (int i = 0; i < 50'000; ++i) {
        Input input = inputs.next(family);
        if (source_only && i % 2 == 0) input.to = IpAddress{family, {}};
        if (family == Family::v6) input.to = IpAddress{family, {}};
        const std::uint32_t workers = 1 + static_cast<std::uint32_t>(i) % 64;
        const std::uint32_t owner = bucket_owner(sender_bucket(input.from.bytes), workers);
        // Ports count for some devices, though the sender's address alone was asked for.
        for (const bool with_ports : {false, true}) {
          if (source_only && family == Family::v4 && input.to != IpAddress{family, {}}) continue;
          const std::uint32_t hash = hash_of(key, input.bytes(with_ports));
          for (const std::uint32_t entries : table_sizes) ASSERT_EQ(queue_of(hash, entries, workers), owner);
        }
      }
    }
  }
}

// Both sides of one gateway may have different devices: what the one takes for a sender's worker, the other does.
TEST(Steering, BothKindsOfDevicesAgreeOnSendersOfIpv4) {
  Inputs inputs;
  for (int i = 0; i < 10'000; ++i) {
    Input input = inputs.next(Family::v4);
    const std::uint32_t any = hash_of(sender_key(false), input.bytes());
    input.to = IpAddress{Family::v4, {}};
    EXPECT_EQ(any % buckets, hash_of(sender_key(true), input.bytes()) % buckets);
  }
}

IpAddress number(const char* network, std::uint32_t i, std::uint32_t bits) {
  IpAddress made = address(network);
  const std::uint32_t last = address_bytes(made.family) - 1;
  for (std::uint32_t bit = 0; bit < 24; ++bit) {
    if ((i >> bit & 1) == 0) continue;
    made.bytes[last - (bit + bits) / 8] ^= static_cast<std::uint8_t>(1U << (bit + bits) % 8);
  }
  return made;
}

// 1024 neighbours, and 1024 hosts of the same number in networks beside each other: nobody has three times its share.
TEST(Steering, SendersAreSpreadEvenly) {
  for (std::uint32_t workers = 2; workers <= 64; ++workers) {
    for (const auto& [network, bits, most] : {std::tuple{"10.3.0.0", 0U, 1.7},
                                              {"10.3.0.17", 8U, 3.0},
                                              {"10.3.0.17", 6U, 3.0},
                                              {"fd00:10:3::", 0U, 1.7},
                                              {"fd00:10:3::17", 16U, 3.0},
                                              {"fd00:10:3::17", 64U, 3.0},
                                              {"fd00::17", 72U, 3.0}}) {
      std::map<std::uint32_t, int> senders;
      for (std::uint32_t i = 0; i < 1024; ++i) {
        ++senders[bucket_owner(sender_bucket(number(network, i, bits).bytes), workers)];
      }
      for (const auto& [worker, count] : senders) {
        EXPECT_LE(count, most * (1024.0 / workers) + 1) << network << " by " << bits << ", " << workers << " workers";
      }
    }
  }
}

// As few neighbours as there are workers have one each: no two of a block that is aligned so.
TEST(Steering, FewNeighboursAreNoWorkersTwice) {
  for (const std::uint32_t workers : {2U, 4U, 8U, 16U, 32U, 64U}) {
    for (const char* network : {"10.0.0.0", "192.168.77.64", "172.16.255.128", "fd00::", "2001:db8:1:2::ff00"}) {
      std::set<std::uint32_t> seen;
      for (std::uint32_t i = 0; i < workers; ++i) {
        seen.insert(bucket_owner(sender_bucket(number(network, i, 0).bytes), workers));
      }
      EXPECT_EQ(seen.size(), workers) << network;
    }
  }
}

TEST(Steering, PiecesThatNoKeyLetsThrough) {
  for (const std::uint32_t piece : {0U, 3U, 1000U, 1024U, 32768U}) EXPECT_FALSE(can_be_steered(piece)) << piece;
}

// However many workers: all ports are somebody's, each one's are those that port_owner() says, and none is without.
TEST(Steering, PortsAreCutForAnyNumberOfWorkers) {
  for (std::uint32_t workers = 1; workers <= 128; ++workers) {
    std::uint32_t low = 0, high = 0;
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
      const PortSlice slice(1024, 65535, worker, workers);
      ASSERT_GT(slice.size(), 0U) << workers;
      for (std::uint32_t i = 0; i < slice.size(); i += 37) {
        ASSERT_TRUE(slice.contains(slice.at(i)));
        ASSERT_EQ(port_owner(slice.at(i), workers), worker);
        if (i != 0) {
          ASSERT_LT(slice.at(i - 1), slice.at(i));
        }
      }
      high += slice.size();
      low += PortSlice(1, 1023, worker, workers).size();
    }
    EXPECT_EQ(high, 64512U);
    EXPECT_EQ(low, 1023U);
  }
}

}  // namespace
}  // namespace sallyport::dataplane
