// What a frame that came in is to the one who sent.
#pragma once

#include <cstdint>

namespace sallyport::pktgen {

enum class Recognised : std::uint8_t {
  foreign,   // not of this run: somebody else's, or an answer of a machine on the way
  ours,      // sent by this run, and here for the first time
  late,      // the same, but one that was sent later has been here before
  repeated,  // has been here before, or more often than it was sent
};

}  // namespace sallyport::pktgen
