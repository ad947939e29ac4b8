// What has to outlive a restart: the key that chooses a source's address in a pool. Flows: flow_keeper.h.
#pragma once

#include <optional>
#include <string>

#include "classifier/address_pool.h"

namespace sallyport {

// FOLDER/pool_key: 32 hexadecimal digits and a line end, mode 0600. Peers that share a pool share the file.
struct PoolKeyFile {
  std::optional<classifier::PoolKey> key;  // absent: not there, not readable, or broken
  std::string problem;                     // what is wrong with it; empty also where there is just no file
};
[[nodiscard]] PoolKeyFile read_pool_key(const std::string& folder);

// For those who ask what a gateway would do: its key, where `key` is not known yet, and nothing is written. It is that
// of the folder which the user named, and then it has to be there; else (`named` empty) that of `otherwise`, if this
// user may read one there. Answers what is wrong; empty: nothing.
[[nodiscard]] std::string find_pool_key(std::optional<classifier::PoolKey>& key, const std::string& named,
                                        const std::string& otherwise);

// A new key from the kernel's random source.
[[nodiscard]] classifier::PoolKey make_pool_key();
// Makes the folder where it is missing; the file appears whole or not at all. Answers what went wrong; empty: nothing.
[[nodiscard]] std::string write_pool_key(const std::string& folder, const classifier::PoolKey& key);

}  // namespace sallyport
