// The log as a stream of a Redis server on this machine (https://redis.io/docs/data-types/streams/), which replicates
// it to the other machine's by itself.
//
// One key, and it vanishes by itself when nobody has written for ten minutes. A server that is a replica takes no
// entries: append() says so, and whoever decides whose turn it is makes it a master.
#pragma once

#include <memory>

#include "src/replication/change_log.h"

namespace sallyport {

// `socket`: the server's path.
[[nodiscard]] std::unique_ptr<ChangeLog> redis_log(std::string socket);

}  // namespace sallyport
