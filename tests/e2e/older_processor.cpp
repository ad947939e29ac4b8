// A program that no processor is new enough for: what every program of ours says where it is not.
#include <cstdio>

#include "src/processor_check.h"

namespace sallyport {
const std::uint32_t processor_needs = feature_none_has;
}  // namespace sallyport

int main() { std::puts("ran"); }
