#include "dataplane/io/seat_sums.h"

#include <map>
#include <span>

namespace sallyport::dataplane {

std::vector<RuleSum> rules_of(const WorkerSeats& seats) {
  std::map<classifier::Id, RuleSum> sums;
  for (const auto& seat : seats) {
    seat->rules().each([&](classifier::Id rule, std::uint64_t decided, std::uint64_t audited) {
      RuleSum& sum = sums[rule];
      sum = {rule, sum.decided + decided, sum.audited + audited};
    });
  }
  std::vector<RuleSum> rising;
  rising.reserve(sums.size());
  for (const auto& [rule, sum] : sums) rising.push_back(sum);
  return rising;
}

FullestPorts fullest_ports_of(const WorkerSeats& seats) {
  FullestPorts all;
  for (const auto& seat : seats) {
    (void)seat->ask([&](const Pipeline& pipeline) {
      if (pipeline.fullest_server().fuller_than(all.server)) all.server = pipeline.fullest_server();
      if (pipeline.fullest_address().fuller_than(all.address)) all.address = pipeline.fullest_address();
    });
  }
  return all;
}

std::vector<AddressLoad> address_loads_of(const WorkerSeats& seats) {
  std::map<IpAddress, AddressLoad> sums;
  std::vector<AddressLoad> of_worker(AddressLoads::addresses_max);
  for (const auto& seat : seats) {
    std::size_t count = 0;
    (void)seat->ask([&](const Pipeline& pipeline) { count = pipeline.address_loads(of_worker); });
    for (const AddressLoad& load : std::span(of_worker).first(count)) {
      AddressLoad& sum = sums[load.address];
      sum.address = load.address;
      sum += load;
    }
  }
  std::vector<AddressLoad> rising;
  rising.reserve(sums.size());
  for (const auto& [address, sum] : sums) rising.push_back(sum);
  return rising;
}

}  // namespace sallyport::dataplane
