// What every parser of foreign bytes answers.
#pragma once

#include <cstdint>

namespace sallyport::classifier::names {

enum class Parse : std::uint8_t {
  done,       // the name (or that there is none) is known
  need_more,  // so far right, but unfinished
  not_this,   // the bytes are of another protocol
  malformed,  // this protocol, broken
  too_large,  // this protocol, but it announces more bytes than there is room for
};

}  // namespace sallyport::classifier::names
