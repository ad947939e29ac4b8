// setup over a tree that looks like /sys.
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/load.h"
#include "dataplane/io/environment_error.h"
#include "dataplane/io/interface_claim.h"
#include "src/descriptor.h"
#include "src/setup/first_configuration.h"
#include "src/setup/first_gateway.h"
#include "src/setup/huge_pages.h"
#include "src/setup/kernel_network.h"
#include "src/setup/port_list.h"
#include "src/setup/questions.h"
#include "src/setup/vfio_binding.h"

namespace sallyport::setup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Two functions of one network card, a card that waits for DPDK, a bridge, a virtio device, and a veth.
class Setup : public testing::Test {
 protected:
  Setup() {
    std::string pattern = (std::filesystem::temp_directory_path() / "setup-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    device("0000:01:00.0", "0x020000", "ixgbe", "7");
    device("0000:01:00.1", "0x020000", "ixgbe", "7");
    device("0000:02:00.0", "0x020000", "vfio-pci", "8");
    device("0000:00:1c.0", "0x060400", "pcieport", "7");
    device("0000:03:00.0", "0x010000", "virtio-pci", "");
    interface("bus/pci/devices/0000:01:00.0/net", "eth1", "1500");
    interface("bus/pci/devices/0000:01:00.1/net", "eth2", "9000");
    interface("bus/pci/devices/0000:03:00.0/virtio0/net", "eth3", "1500");
    interface("", "veth0", "1500");
    interface("", "lo", "65536");
    interface("", "tun0", "1500");
    write("class/net/tun0/type", "65534\n");
    write("bus/pci/drivers_probe", "");
  }
  ~Setup() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    std::ifstream file(root_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void link(const std::string& path, const std::string& to) const {
    std::filesystem::remove(root_ / path);
    std::filesystem::create_directory_symlink(root_ / to, root_ / path);
  }

  void device(const std::string& pci, const std::string& type, const std::string& driver, const std::string& group) {
    const std::string folder = "bus/pci/devices/" + pci;
    write(folder + "/class", type + "\n");
    write(folder + "/driver_override", "(null)\n");
    write(folder + "/numa_node", "-1\n");
    write("bus/pci/drivers/" + driver + "/unbind", "");
    link(folder + "/driver", "bus/pci/drivers/" + driver);
    if (group.empty()) return;
    std::filesystem::create_directories(root_ / ("kernel/iommu_groups/" + group + "/devices"));
    link("kernel/iommu_groups/" + group + "/devices/" + pci, folder);
    link(folder + "/iommu_group", "kernel/iommu_groups/" + group);
  }
  void interface(const std::string& below, const std::string& name, const std::string& mtu) {
    write("class/net/" + name + "/mtu", mtu + "\n");
    write("class/net/" + name + "/type", "1\n");
    write("class/net/" + name + "/address", "02:00:00:00:00:01\n");
    write("class/net/" + name + "/carrier", "1\n");
    if (below.empty()) return;
    std::filesystem::create_directories(root_ / below);
    link(below + "/" + name, "class/net/" + name);
  }

  [[nodiscard]] std::vector<Port> ports(const KernelNetwork& network = {}) const {
    return list_ports(Sysfs(root_), network);
  }
  [[nodiscard]] Port port(const std::string& name) const { return *find_port(ports(), name); }
  // What the kernel does when it is told to look for a driver: `takes` has the device then.
  [[nodiscard]] std::thread kernel(const std::string& pci, const std::string& takes) const {
    return std::thread([this, pci, takes] {
      for (int i = 0; i < 1000 && text("bus/pci/drivers_probe") != pci; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      link("bus/pci/devices/" + pci + "/driver", "bus/pci/drivers/" + takes);
    });
  }

  std::filesystem::path root_;
};

TEST_F(Setup, ListsNetworkControllersAndTheInterfacesOfTheKernel) {
  std::vector<std::string> seen;
  for (const Port& one : ports()) {
    seen.push_back(one.name + " " + one.pci + " " + one.driver + " " + std::string(to_string(state_of(one))));
  }
  EXPECT_THAT(seen, ElementsAre("eth1 0000:01:00.0 ixgbe free", "eth2 0000:01:00.1 ixgbe free",
                                "0000:02:00.0 0000:02:00.0 vfio-pci ready for DPDK",
                                "eth3 0000:03:00.0 virtio-pci free", "veth0   free"));
  EXPECT_EQ(port("eth2").mtu, 9000);
  EXPECT_EQ(port("eth2").link, true);
  EXPECT_FALSE(port("eth2").numa_node.has_value()) << "-1 is none";
}

TEST_F(Setup, AnInterfaceThatAGatewayHasIsInUse) {
  KernelNetwork network;
  add_claims(
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00000000 0002 01 4711 @sallyport/interface/veth0\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 4712\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 4713 /run/sallyport/interface/eth1\n",
      network);
  const std::vector<Port> all = ports(network);
  EXPECT_EQ(to_string(state_of(*find_port(all, "veth0"))), "in use");
  EXPECT_EQ(to_string(state_of(*find_port(all, "eth1"))), "free");
  network["veth0"].default_route = true;
  EXPECT_EQ(state_of(*find_port(ports(network), "veth0")), PortState::default_route) << "which is what refuses it";
}

TEST_F(Setup, APciDeviceThatAGatewayHasIsInUse) {
  KernelNetwork network;
  network["0000:01:00.0"].in_use = network["0000:02:00.0"].in_use = true;
  const std::vector<Port> all = ports(network);
  for (const char* taken : {"eth1", "0000:02:00.0"}) {
    EXPECT_EQ(state_of(*find_port(all, taken)), PortState::in_use) << taken;
    EXPECT_THAT(binding_obstacle(Sysfs(root_), *find_port(all, taken)), HasSubstr("a gateway that runs has")) << taken;
  }
  EXPECT_EQ(state_of(*find_port(all, "eth2")), PortState::free);
}

TEST_F(Setup, TheClaimOfALivingGatewayIsFound) {
  const std::string interface = fmt::format("claim{}", getpid());
  EXPECT_FALSE(read_kernel_network().contains(interface));
  const std::string name = std::string(dataplane::interface_claim_prefix) + interface;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const Descriptor claim(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(claim.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_TRUE(read_kernel_network()[interface].in_use);
}

TEST_F(Setup, FindsAPortByInterfaceAndByPciAddress) {
  EXPECT_EQ(port("01:00.1").interface, "eth2");
  EXPECT_EQ(port("0000:01:00.1").interface, "eth2");
  EXPECT_EQ(find_port(ports(), "eth9"), nullptr);
  EXPECT_EQ(find_port(ports(), ""), nullptr);
}

TEST_F(Setup, ADeviceIsTheFastestThatIsSure) {
  EXPECT_EQ(device_text(port("eth1")), "net_af_xdp,iface=eth1") << "ixgbe copies nothing";
  EXPECT_EQ(device_text(port("veth0")), "net_af_packet,iface=veth0");
  EXPECT_EQ(device_text(port("02:00.0")), "0000:02:00.0");
}

TEST_F(Setup, SaysWhatTheMachineItselfUses) {
  const KernelNetwork network = {{"eth1", {{"10.0.0.1/24"}, false, {}}},
                                 {"eth2", {{"192.0.2.2/24"}, true, {"192.0.2.1"}}}};
  EXPECT_EQ(state_of(*find_port(ports(network), "eth1")), PortState::has_addresses);
  EXPECT_EQ(state_of(*find_port(ports(network), "eth2")), PortState::default_route);
}

TEST_F(Setup, ReadsDefaultRoutesAndNoOthers) {
  KernelNetwork network;
  add_routes_v4(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "eth2\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n",
      network);
  add_routes_v6(
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 "
      "00000400 1 0 "
      "00000003 eth3\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 "
      "ffffffff 1 0 "
      "00200200 lo\n",
      network);
  ASSERT_EQ(network.size(), 2U);
  EXPECT_THAT(network["eth0"].gateways, ElementsAre("192.0.2.1"));
  EXPECT_THAT(network["eth3"].gateways, ElementsAre("fe80::1"));
  EXPECT_TRUE(network["eth0"].default_route);
}

TEST_F(Setup, SaysWhatStandsInTheWayOfVfio) {
  const Sysfs sysfs(root_);
  EXPECT_THAT(binding_obstacle(sysfs, port("veth0")), HasSubstr("no PCI device"));
  EXPECT_THAT(group_mates(sysfs, "0000:01:00.0"), ElementsAre("0000:01:00.1 (ixgbe)")) << "no bridge, not itself";
  EXPECT_THAT(binding_obstacle(sysfs, port("eth3")), HasSubstr("no IOMMU"));
  write("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
  EXPECT_EQ(binding_obstacle(sysfs, port("eth3")), "");
  link("bus/pci/devices/0000:01:00.1/driver", "bus/pci/drivers/vfio-pci");
  EXPECT_TRUE(group_mates(sysfs, "0000:01:00.0").empty());
  EXPECT_EQ(binding_obstacle(sysfs, port("eth1")), "");
  Port mine = port("eth1");
  mine.network.default_route = true;
  EXPECT_THAT(binding_obstacle(sysfs, mine), HasSubstr("default route"));
  std::filesystem::remove_all(root_ / "bus/pci/drivers/vfio-pci");
  EXPECT_THAT(binding_obstacle(sysfs, port("eth1")), HasSubstr("modprobe vfio-pci"));
}

TEST_F(Setup, BindsADevice) {
  std::thread linux_kernel = kernel("0000:01:00.0", "vfio-pci");
  bind_to_vfio(Sysfs(root_), "0000:01:00.0");
  linux_kernel.join();
  EXPECT_EQ(text("bus/pci/devices/0000:01:00.0/driver_override"), "vfio-pci");
  EXPECT_EQ(text("bus/pci/drivers/ixgbe/unbind"), "0000:01:00.0");
}

TEST_F(Setup, ADeviceThatVfioDoesNotTakeGoesBack) {
  try {
    bind_to_vfio(Sysfs(root_), "0000:01:00.0");
    FAIL();
  } catch (const dataplane::EnvironmentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("goes back to ixgbe"));
  }
  EXPECT_EQ(text("bus/pci/devices/0000:01:00.0/driver_override"), "\n") << "any driver may have it";
}

TEST_F(Setup, HugePagesAreReservedNowAndForLater) {
  const std::string pages = "kernel/mm/hugepages/hugepages-2048kB/";
  write(pages + "nr_hugepages", "16\n");
  write(pages + "free_hugepages", "10\n");
  write("kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
  const Sysfs sysfs(root_);
  const std::string etc = (root_ / "etc").string();
  EXPECT_EQ(reserve_huge_pages(sysfs, etc, 512U << 20U), etc + "/tmpfiles.d/sallyport.conf");
  EXPECT_THAT(text("etc/tmpfiles.d/sallyport.conf"),
              HasSubstr("w /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages - - - - 256\n"));
  const std::vector<HugePages> there = list_huge_pages(sysfs);
  ASSERT_EQ(there.size(), 2U);
  EXPECT_EQ(there[0].total, 256U);
  EXPECT_EQ(there[0].free, 10U);
  EXPECT_EQ(there[1].page_bytes, 1U << 30U);
  // Somebody else's pages are not taken away.
  reserve_huge_pages(sysfs, etc, 2U << 20U);
  EXPECT_EQ(list_huge_pages(sysfs)[0].total, 256U);
  EXPECT_THAT(text("etc/tmpfiles.d/sallyport.conf"), HasSubstr(" 256\n"));
}

TEST_F(Setup, FewerHugePagesThanAskedForIsSaid) {
  std::filesystem::create_directories(root_ / "kernel/mm/hugepages/hugepages-2048kB");
  std::filesystem::create_symlink("/dev/null", root_ / "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
  try {
    reserve_huge_pages(Sysfs(root_), (root_ / "etc").string(), 4U << 20U);
    FAIL();
  } catch (const dataplane::EnvironmentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("of 2 huge pages the kernel has 0 to give"));
  }
}

TEST(FirstConfiguration, IsValidAndSaysWhatItWasGiven) {
  const FirstPort inside = {"net_af_packet,iface=eth1", {"10.9.0.1/16", "fd00:9::1/64"}, {}, 9000, "was \"eth1\""};
  const FirstPort outside = {"0000:01:00.0", {"203.0.113.2/24"}, {"203.0.113.254"}, 65536, ""};
  const auto loaded = config::load_appliance({"sallyport.toml", first_configuration(inside, outside)});
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.all().front().message;
  EXPECT_EQ(loaded.diagnostics.all().size(), 0U);
  EXPECT_EQ(loaded.model->ports[0].mtu, 9000);
  EXPECT_EQ(loaded.model->ports[1].mtu, 1500) << "what no port carries is left out";
  EXPECT_EQ(loaded.model->ports[1].device, "0000:01:00.0");
  EXPECT_THAT(first_policy(inside), HasSubstr("addresses = [\"10.9.0.0/16\", \"fd00:9::/64\"]"));
  EXPECT_TRUE(config::load_policy({{"policy.toml", first_policy(inside)}}).model);
}

TEST(FirstConfiguration, QuotesWhatOnlyLooksLikeTheEndOfAText) {
  const FirstPort odd = {"net_null0,a=\"\\", {"10.0.0.1/24"}, {}, {}, ""};
  const FirstPort outside = {"net_null1", {"203.0.113.2/24"}, {}, {}, ""};
  const auto loaded = config::load_appliance({"sallyport.toml", first_configuration(odd, outside)});
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->ports[0].device, "net_null0,a=\"\\");
}

TEST(Questions, WithoutATerminalOnlyYesAgrees) {
  std::istringstream none;
  EXPECT_FALSE(Questions(Questions::Mode::nobody, none, stderr).agrees("Bind?"));
  EXPECT_TRUE(Questions(Questions::Mode::agree, none, stderr).agrees("Bind?"));
  EXPECT_EQ(Questions(Questions::Mode::agree, none, stderr).text("Address", "10.0.0.1/24"), "10.0.0.1/24");
  EXPECT_EQ(Questions(Questions::Mode::nobody, none, stderr).text("Port", ""), std::nullopt);
}

TEST(Questions, AnswersAreTakenAndNothingIsNo) {
  std::istringstream answers("y\n\nmaybe\neth7\n\n");
  std::FILE* asked = std::fopen("/dev/null", "w");
  Questions questions(Questions::Mode::ask, answers, asked);
  EXPECT_TRUE(questions.agrees("1"));
  EXPECT_FALSE(questions.agrees("2"));
  EXPECT_FALSE(questions.agrees("3"));
  EXPECT_EQ(questions.text("4", "eth1"), "eth7");
  EXPECT_EQ(questions.text("5", "eth1"), "eth1");
  EXPECT_FALSE(questions.agrees("the end of the input"));
  std::fclose(asked);
}

class FirstGatewayTest : public Setup {
 protected:
  FirstGatewayTest() {
    options_.inside = "veth0";
    options_.outside = "eth1";
    options_.output = (root_ / "sallyport.toml").string();
  }

  // What was refused; empty: nothing.
  std::string set_up(Questions::Mode mode = Questions::Mode::nobody) {
    const std::vector<Port> there = ports(network_);
    const Sysfs sysfs(root_);
    std::istringstream none;
    Questions questions(mode, none, stderr);
    outcome_ = {};
    FirstGateway gateway(options_, sysfs, there, questions, outcome_);
    try {
      gateway.choose_ports();
      gateway.write();
      gateway.tell_group_mates();
    } catch (const Refused& refused) {
      status_ = refused.code;
      return refused.message;
    }
    status_ = ExitCode::done;
    return {};
  }

  SetupOptions options_;
  KernelNetwork network_;
  Outcome outcome_;
  ExitCode status_ = ExitCode::done;
};

TEST_F(FirstGatewayTest, WritesBothFilesAndTheAddressesOfTheInterface) {
  network_["veth0"].addresses = {"10.7.0.1/24"};
  EXPECT_EQ(set_up(), "");
  EXPECT_THAT(text("sallyport.toml"), HasSubstr("addresses = [\"10.7.0.1/24\"]"));
  EXPECT_THAT(text("policy.toml"), HasSubstr("10.7.0.0/24"));
  EXPECT_EQ(outcome_.written.size(), 2U);
  EXPECT_THAT(outcome_.next, testing::Contains(HasSubstr("ip address flush dev veth0")));
  EXPECT_THAT(outcome_.next, testing::Contains(HasSubstr("in the place of 203.0.113.2/24")));
}

TEST_F(FirstGatewayTest, WritesOverNothingUnasked) {
  write("sallyport.toml", "mine\n");
  EXPECT_THAT(set_up(), HasSubstr("--force"));
  EXPECT_EQ(status_, ExitCode::no);
  EXPECT_EQ(text("sallyport.toml"), "mine\n");
  write("policy.toml", "# mine\n");
  options_.force = true;
  EXPECT_EQ(set_up(), "");
  EXPECT_EQ(text("sallyport.toml.old"), "mine\n");
  EXPECT_EQ(text("policy.toml"), "# mine\n");
}

TEST_F(FirstGatewayTest, RefusesBeforeItChangesAnything) {
  options_.outside = "eth9";
  EXPECT_THAT(set_up(), HasSubstr("no port eth9: one of eth1, eth2, "));
  EXPECT_EQ(status_, ExitCode::environment);
  options_.outside = "veth0";
  EXPECT_THAT(set_up(), HasSubstr("name two ports"));
  options_.outside = "";
  EXPECT_THAT(set_up(), HasSubstr("--outside PORT is missing: one of"));
  EXPECT_EQ(status_, ExitCode::usage);
  options_.outside = "eth1";
  network_["eth1"].default_route = true;
  EXPECT_THAT(set_up(), HasSubstr("default route"));
  network_.clear();
  options_.outside_addresses = {"203.0.113.2"};
  EXPECT_THAT(set_up(), HasSubstr("nothing is written"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "sallyport.toml"));
}

TEST_F(FirstGatewayTest, APciAddressIsBoundAfterAsking) {
  options_.outside = "03:00.0";
  write("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
  EXPECT_THAT(set_up(), HasSubstr("--yes agrees"));
  EXPECT_EQ(text("bus/pci/drivers_probe"), "");
  std::thread linux_kernel = kernel("0000:03:00.0", "vfio-pci");
  EXPECT_EQ(set_up(Questions::Mode::agree), "");
  linux_kernel.join();
  EXPECT_THAT(text("sallyport.toml"), HasSubstr("device = \"0000:03:00.0\"  # was eth3"));
  EXPECT_THAT(outcome_.bound, ElementsAre("0000:03:00.0"));
  EXPECT_THAT(outcome_.next, testing::Contains(HasSubstr("systemctl enable sallyport-vfio@0000:03:00.0")));
}

TEST_F(FirstGatewayTest, TheOtherDevicesOfAGroupAreNamed) {
  options_.outside = "01:00.0";
  std::thread linux_kernel = kernel("0000:01:00.0", "vfio-pci");
  EXPECT_EQ(set_up(Questions::Mode::agree), "");
  linux_kernel.join();
  EXPECT_THAT(outcome_.next, testing::Contains(HasSubstr("bind 0000:01:00.1 (ixgbe), too")));
}

TEST_F(FirstGatewayTest, ACardThatStaysWithTheKernelIsNotBound) {
  device("0000:04:00.0", "0x020000", "mlx5_core", "9");
  options_.outside = "04:00.0";
  EXPECT_EQ(set_up(), "");
  EXPECT_THAT(text("sallyport.toml"), HasSubstr("device = \"0000:04:00.0\""));
  EXPECT_TRUE(outcome_.bound.empty());
}

TEST_F(FirstGatewayTest, ADpdkDeviceIsTakenAsItIs) {
  options_.inside = "net_tap0,iface=tap9";
  EXPECT_EQ(set_up(), "");
  EXPECT_THAT(text("sallyport.toml"), HasSubstr("device = \"net_tap0,iface=tap9\""));
}

}  // namespace
}  // namespace sallyport::setup
