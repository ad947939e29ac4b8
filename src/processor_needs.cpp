#include "src/processor_check.h"

namespace sallyport {

constinit const std::uint32_t processor_needs = 0U
#ifdef __AVX__
                                                | feature_avx
#endif
#ifdef __AVX2__
                                                | feature_avx2
#endif
#ifdef __BMI__
                                                | feature_bmi
#endif
#ifdef __BMI2__
                                                | feature_bmi2
#endif
#ifdef __FMA__
                                                | feature_fma
#endif
#ifdef __AVX512F__
                                                | feature_avx512f
#endif
#ifdef __AVX512BW__
                                                | feature_avx512bw
#endif
#ifdef __AVX512VBMI__
                                                | feature_avx512vbmi
#endif
    ;

}  // namespace sallyport
