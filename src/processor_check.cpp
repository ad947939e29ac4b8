#include "src/processor_check.h"

#include <cstring>

#include <unistd.h>

#include "src/exit_code.h"

namespace sallyport {
namespace {

// The first that is missing; null: none.
const char* missing_feature(std::uint32_t needs) {
  __builtin_cpu_init();
  const auto lacks = [&](ProcessorFeature feature, int has) { return (needs & feature) != 0 && has == 0; };
  if (lacks(feature_avx, __builtin_cpu_supports("avx"))) return "AVX";
  if (lacks(feature_avx2, __builtin_cpu_supports("avx2"))) return "AVX2";
  if (lacks(feature_bmi, __builtin_cpu_supports("bmi"))) return "BMI";
  if (lacks(feature_bmi2, __builtin_cpu_supports("bmi2"))) return "BMI2";
  if (lacks(feature_fma, __builtin_cpu_supports("fma"))) return "FMA";
  if (lacks(feature_avx512f, __builtin_cpu_supports("avx512f"))) return "AVX-512";
  if (lacks(feature_avx512bw, __builtin_cpu_supports("avx512bw"))) return "AVX-512 BW";
  if (lacks(feature_avx512vbmi, __builtin_cpu_supports("avx512vbmi"))) return "AVX-512 VBMI";
  if (lacks(feature_none_has, 0)) return "the impossible";
  return nullptr;
}

void say(const char* text) { (void)!::write(STDERR_FILENO, text, std::strlen(text)); }

// No allocation, no stream, no format: nothing else of the program has been set up, nor may it be.
__attribute__((constructor(101))) void refuse_older_processors() {
  const char* missing = missing_feature(processor_needs);
  if (missing == nullptr) return;
  say("sallyport: this processor has no ");
  say(missing);
  say(", which this build uses: take a newer one (x86-64-v3: Haswell, Zen), or build it here with make build "
      "CPU=native\n");
  ::_exit(status(ExitCode::environment));
}

}  // namespace
}  // namespace sallyport
