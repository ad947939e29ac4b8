// What is worked out before any device is touched.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/io/device_text.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/gateway_plan.h"
#include "dataplane/io/kernel_twin.h"
#include "dataplane/io/packet_buffers.h"
#include "dataplane/io/processors.h"

namespace sallyport::dataplane {
namespace {

using Kind = DeviceText::Kind;
using Processors = std::vector<unsigned>;

bool has(const std::vector<std::string>& arguments, const std::string& one) {
  return std::find(arguments.begin(), arguments.end(), one) != arguments.end();
}
std::string after(const std::vector<std::string>& arguments, const std::string& one) {
  const auto found = std::find(arguments.begin(), arguments.end(), one);
  return found == arguments.end() || found + 1 == arguments.end() ? "" : *(found + 1);
}

TEST(DeviceText, PciAddressesWithAndWithoutDomain) {
  for (const char* text : {"0000:01:00.0", "01:00.0"}) {
    const auto device = parse_device(text);
    ASSERT_TRUE(device) << text;
    EXPECT_EQ(device->kind, Kind::pci);
    EXPECT_EQ(device->driver, "0000:01:00.0");
  }
  EXPECT_EQ(parse_device("0000:3b:00.1,representor=0")->arguments_text(), "representor=0");
  for (const char* text :
       {"", "eth1", "0000:01:00", "0000:01:00.", "0000-01-00.0", "0000:g1:00.0", "1:00.0", "a:b:c"}) {
    EXPECT_FALSE(parse_device(text)) << text;
  }
}

TEST(DeviceText, VirtualDevicesKeepTheirArgumentsInOrder) {
  const auto device = parse_device("net_memif0,role=client,socket=/run/x.sock,secret");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->kind, Kind::other_virtual);
  EXPECT_EQ(device->driver, "net_memif0");
  EXPECT_EQ(device->arguments_text(), "role=client,socket=/run/x.sock,secret");
  EXPECT_EQ(device->argument("socket"), "/run/x.sock");
  EXPECT_EQ(device->argument("secret"), "");
  EXPECT_EQ(device->argument("id"), std::nullopt);
}

TEST(DeviceText, WhatTheOperatorGaveIsKept) {
  auto device = *parse_device("net_af_packet,iface=eth1,qpairs=3");
  EXPECT_EQ(device.kind, Kind::af_packet);
  device.set_default("qpairs", "1");
  device.set_default("framesz", "16384");
  EXPECT_EQ(device.arguments_text(), "iface=eth1,qpairs=3,framesz=16384");
  EXPECT_EQ(parse_device("net_af_xdp,iface=e")->kind, Kind::af_xdp);
  EXPECT_EQ(parse_device("net_null")->arguments_text(), "");
}

TEST(Processors, AutoLeavesOneToTheRestFromThreeOn) {
  const config::WorkersConfig automatic;
  EXPECT_EQ(worker_processors(automatic, {0}, 0), (Processors{0}));
  EXPECT_EQ(worker_processors(automatic, {0, 1}, 0), (Processors{0, 1}));
  EXPECT_EQ(worker_processors(automatic, {0, 1, 2, 3}, 0), (Processors{1, 2, 3}));
  EXPECT_EQ(worker_processors(automatic, {4, 6, 8, 10}, 2), (Processors{8, 10}));
  Processors many(64);
  for (unsigned i = 0; i < 64; ++i) many[i] = i;
  EXPECT_EQ(worker_processors(automatic, many, 0).size(), 16U);
}

TEST(Processors, NamedOnesMustBeAllowed) {
  config::WorkersConfig named;
  named.cores_auto = false;
  named.cores = {1, 3};
  EXPECT_EQ(worker_processors(named, {0, 1, 2, 3}, 1), (Processors{1, 3}));
  try {
    (void)worker_processors(named, {0, 1, 2}, 0);
    FAIL() << "processor 3 is not allowed";
  } catch (const EnvironmentError& error) {
    EXPECT_NE(std::string(error.what()).find("processor 3"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("0-2"), std::string::npos);
  }
}

TEST(Processors, Text) {
  EXPECT_EQ(processors_text({}), "");
  EXPECT_EQ(processors_text({5}), "5");
  EXPECT_EQ(processors_text({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
  EXPECT_FALSE(allowed_processors().empty());
}

TEST(EalArguments, WorkersArePinnedAndTheMainThreadFloats) {
  EalPlan plan;
  plan.workers = {2, 3};
  plan.allowed = {0, 1, 2, 3};
  plan.huge_pages = true;
  const auto arguments = eal_arguments(plan);
  EXPECT_TRUE(has(arguments, "--lcores=0@(0-3),1@2,2@3"));
  EXPECT_TRUE(has(arguments, "--main-lcore=0"));
  EXPECT_TRUE(has(arguments, "--iova-mode=va"));
  EXPECT_TRUE(has(arguments, "--in-memory"));
  EXPECT_FALSE(has(arguments, "--no-huge"));
  EXPECT_TRUE(has(arguments, "--no-pci"));
}

TEST(EalArguments, OrdinaryMemoryIsAskedForByItsSize) {
  EalPlan plan;
  plan.workers = {0};
  plan.allowed = {0};
  plan.memory_bytes = 100U << 20U;
  const auto arguments = eal_arguments(plan);
  EXPECT_TRUE(has(arguments, "--no-huge"));
  EXPECT_FALSE(has(arguments, "--in-memory"));
  EXPECT_EQ(after(arguments, "-m"), "101");
}

TEST(EalArguments, OnlyNamedPciDevicesAndTheExpertsArgumentsLast) {
  EalPlan plan;
  plan.workers = {0};
  plan.allowed = {0};
  plan.pci_devices = {"0000:01:00.0,a=b"};
  plan.extra_arguments = {"--log-level=pmd:debug"};
  const auto arguments = eal_arguments(plan);
  EXPECT_FALSE(has(arguments, "--no-pci"));
  EXPECT_EQ(after(arguments, "-a"), "0000:01:00.0,a=b");
  EXPECT_EQ(arguments.back(), "--log-level=pmd:debug");
}

TEST(PacketBuffers, AFrameFitsWithItsHeadroom) {
  for (const auto mtu : std::array<std::uint16_t, 3>{1500, 2000, 9000}) {
    EXPECT_GE(data_room(Kind::pci, mtu), buffer_headroom + mtu + 14U + 8U) << mtu;
    EXPECT_GE(data_room(Kind::af_xdp, mtu), buffer_headroom + 256U + mtu + 14U + 8U) << mtu;
  }
  EXPECT_EQ(data_room(Kind::af_packet, 1500), data_room(Kind::af_xdp, 1500)) << "ports of one MTU share a pool";
}

TEST(PortRange, EachWorkerHasPorts) {
  const auto refused = [](std::uint16_t first, std::uint16_t last, std::uint32_t block, std::uint32_t workers) {
    config::NatConfig nat;
    nat.port_range = {first, last};
    nat.port_block = block;
    try {
      check_port_range(nat, workers);
    } catch (const EnvironmentError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused(1024, 65535, 0, 1), "");
  EXPECT_EQ(refused(1024, 65535, 0, 128), "");
  EXPECT_EQ(refused(50'000, 50'255, 0, 4), "");
  EXPECT_EQ(refused(50'000, 50'000, 0, 1), "");
  EXPECT_EQ(refused(50'000, 50'255, 0, 8),
            "nat.port_range holds 5 pieces of 64 ports, too few for each of 8 workers: widen it, or use fewer cores");
  EXPECT_EQ(
      refused(1024, 65535, 0, 129),
      "nat.port_range holds 1008 pieces of 64 ports, too few for each of 129 workers: widen it, or use fewer cores");
  EXPECT_EQ(refused(1024, 65535, 512, 16), "");
  EXPECT_EQ(
      refused(1024, 5119, 512, 16),
      "nat.port_block = 512: port_range holds 8 blocks, too few for each of 16 workers: make them smaller, or use "
      "fewer cores");
}

TEST(KernelTwin, NamesFitTheKernel) {
  EXPECT_EQ(twin_name("inside"), "sp-inside");
  EXPECT_EQ(twin_name("a-very-long-name"), "sp-a-very-long-");
}

}  // namespace
}  // namespace sallyport::dataplane
