// How much a configuration may hold. Reaching a bound is an error that names it; nothing is ever cut off.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sallyport::config::bounds {

inline constexpr std::size_t toml_bytes = 64U << 20U;         // one file
inline constexpr std::size_t list_file_bytes = 512U << 20U;   // one file of prefixes or names
inline constexpr std::size_t document_files = 1024;           // policy.toml and policy.d/
inline constexpr std::size_t yaml_bytes = 64U << 20U;         // one file that is imported
inline constexpr std::size_t yaml_line_bytes = 4U << 20U;     // one line of it
inline constexpr std::size_t yaml_nodes = 8'000'000;          // values of one file, aliases expanded
inline constexpr std::size_t import_files = 10'000;           // of one import
inline constexpr std::size_t nesting = 64;                    // tables and arrays inside one another
inline constexpr std::size_t array_elements = 2'000'000;      // any array of a TOML file
inline constexpr std::size_t list_file_entries = 16'000'000;  // prefixes or names of one file
inline constexpr std::size_t list_file_told = 1000;           // errors told one by one; the others as a number
inline constexpr std::size_t name_bytes = 253;                // of a namespace, a route, a pool, ...
inline constexpr std::size_t label_key_bytes = 317;           // Kubernetes: a prefix of 253, '/', a name of 63
inline constexpr std::size_t label_value_bytes = 63;          // Kubernetes
inline constexpr std::size_t labels = 1000;                   // of one object or selector
inline constexpr std::size_t cluster_networks = 1000;
inline constexpr std::size_t bandwidths = 65535;  // egresses with one
inline constexpr std::size_t text_bytes = 4096;   // a path, a regular expression, a device with arguments
inline constexpr std::size_t port_name_bytes = 63;
inline constexpr std::size_t socket_path_bytes = 107;  // sockaddr_un, unix(7)
inline constexpr std::size_t ports = 64;               // network ports of the appliance
inline constexpr std::size_t tunnels = 256;
inline constexpr unsigned processor = 1023;  // highest processor number

}  // namespace sallyport::config::bounds
