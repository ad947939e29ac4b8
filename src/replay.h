// `sallyport replay`: captured traffic through the very pipeline that `run` uses, in the capture's own time.
//
// One capture (`in`), of which replay has to find out which side is which, or the two wires apart (`inside_in`,
// `outside_in`). Deterministic: the same input gives the same output, byte for byte, but for the line with the packets
// per second.
#pragma once

#include <string>

namespace sallyport {

// Paths as the user gave them; empty: not given.
struct ReplayOptions {
  std::string policy;  // overrides the policy that `config` names; one of the two is there
  std::string config;
  std::string state_folder;  // whose pool key is read where `config` has none; empty: a key of zero, always the same
  std::string in;            // one wire ..
  std::string inside_in;     // .. or two: both of these or none, never besides `in`
  std::string outside_in;
  std::string out;          // what leaves, one interface a port
  std::string inside_out;   // what leaves by the inside port
  std::string outside_out;  // what leaves by the outside port
  std::string flows;        // JSON lines
};

// Prints a summary on standard output, what is wrong on standard error. Answers the exit status:
//   0  done, whatever was denied
//   1  the policy or the configuration is not valid
//   2  the options do not go together, or an input is no capture or is broken; what stood before the broken place was
//      processed and summed up
//   3  a file cannot be read or written, or memory is not to be had
// An options error is one of usage: the caller need not look.
int replay_command(const ReplayOptions& options);

}  // namespace sallyport
