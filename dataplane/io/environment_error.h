// The environment will not do: no device, no memory, no permission.
#pragma once

#include <stdexcept>

namespace sallyport::dataplane {

// One line that says what is wrong and what to do about it; exit status 3.
class EnvironmentError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sallyport::dataplane
