// The instruction set that this program was built for, and whether the processor has it. Without, it would die of
// SIGILL somewhere; so the check comes first, before the constructors of any other file, and is built for any x86-64
// itself.
#pragma once

#include <cstdint>

namespace sallyport {

enum ProcessorFeature : std::uint32_t {
  feature_avx = 1U << 0U,
  feature_avx2 = 1U << 1U,
  feature_bmi = 1U << 2U,
  feature_bmi2 = 1U << 3U,
  feature_fma = 1U << 4U,
  feature_avx512f = 1U << 5U,
  feature_avx512bw = 1U << 6U,
  feature_avx512vbmi = 1U << 7U,
  feature_none_has = 1U << 31U,  // for the check's own test
};

// What the compiler was allowed to use: processor_needs.cpp is built as the rest is, and has no code.
extern const std::uint32_t processor_needs;

}  // namespace sallyport
