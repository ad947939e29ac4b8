// The tables of sallyport.toml. All of them report what is wrong and go on.
#pragma once

#include <optional>
#include <vector>

#include "config/appliance_model.h"
#include "config/diagnostics.h"
#include "config/document/table_reader.h"

namespace sallyport::config {

inline constexpr unsigned smallest_v6_mtu = 1280;  // RFC 8200 section 5

// ports.cpp
[[nodiscard]] PortConfig read_port(const Item& item, Diagnostics& diagnostics);
// What ports must be together: names and addresses once, an inside and an outside. `root` is the whole document.
void check_ports(const std::vector<Item>& ports, const Item& root, Diagnostics& diagnostics);

// port_warnings.cpp: what is valid and hardly meant.
void warn_of_ports(const std::vector<PortConfig>& ports, Diagnostics& diagnostics);

// tunnels.cpp
[[nodiscard]] std::optional<TunnelConfig> read_tunnel(const Item& item, const std::vector<PortConfig>& ports,
                                                      Diagnostics& diagnostics);
// No packet may belong to two.
void check_tunnels(const std::vector<TunnelConfig>& tunnels, Diagnostics& diagnostics);

// limits.cpp
void read_workers(const Item& item, WorkersConfig& into, Diagnostics& diagnostics);
void read_limits(const Item& item, Limits& into, Diagnostics& diagnostics);
void read_timeouts(const Item& item, Timeouts& into, Diagnostics& diagnostics);

// ha.cpp
void read_ha(const Item& item, HaConfig& into, Diagnostics& diagnostics);
// What is shared with others, or another's, is no address of a port.
void check_ha(const std::vector<PortConfig>& ports, const HaConfig& ha, const Item& root, Diagnostics& diagnostics);

// logs.cpp
void read_flow_log(const Item& item, FlowLogConfig& into, Diagnostics& diagnostics);
void read_ipfix(const Item& item, IpfixConfig& into, Diagnostics& diagnostics);

// nat.cpp
void read_nat(const Item& item, NatConfig& into, Diagnostics& diagnostics);

}  // namespace sallyport::config
