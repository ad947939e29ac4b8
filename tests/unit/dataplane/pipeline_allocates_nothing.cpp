// The packet path takes all its memory when it is made, and shares nothing that would want a lock. Here the C library's
// own allocator and mutexes count who comes by while the pipeline runs.
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include "tests/bench/established_flows.h"

#ifdef __has_feature  // clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SALLYPORT_OWN_ALLOCATOR 0  // the sanitizers bring theirs
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SALLYPORT_OWN_ALLOCATOR 0
#endif
#ifndef SALLYPORT_OWN_ALLOCATOR
#define SALLYPORT_OWN_ALLOCATOR 1
#endif

namespace {
std::size_t allocations = 0;
std::size_t locks = 0;
}  // namespace

#if SALLYPORT_OWN_ALLOCATOR
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  ++allocations;
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  ++allocations;
  __libc_free(memory);
}
int pthread_mutex_lock(pthread_mutex_t* mutex) {
  ++locks;
  static const auto real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  return real(mutex);
}
}
#endif

namespace sallyport::dataplane::bench {
namespace {

class AllocatesNothing : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (SALLYPORT_OWN_ALLOCATOR == 0) GTEST_SKIP() << "the sanitizer's allocator cannot be replaced";
  }
};

TEST_P(AllocatesNothing, NorLocks) {
  EstablishedFlows flows(4096, GetParam());
  const auto all_of_them = [&](PortIndex port) {
    allocations = locks = 0;
    for (std::size_t i = 0; i < 4096; i += burst_size) {
      flows.one_burst([&](std::span<Packet> burst) {
        flows.pipeline->process(port, burst, flows.now += 1000, flows.snapshot);
        flows.pipeline->advance(flows.now, flows.snapshot);
      });
    }
  };
  const std::size_t before = flows.world.sent;
  all_of_them(0);
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(locks, 0U);
  flows.answer_instead();
  all_of_them(1);
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(locks, 0U);
  // Time out, and begin anew: neither does the end of a flow allocate, nor its beginning.
  flows.now += std::uint64_t{3'600'000'000'000};
  all_of_them(1);
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(locks, 0U);
  EXPECT_EQ(flows.world.sent - before, 2U * 4096) << "out and back; nothing answers a flow that is over";
}

TEST_P(AllocatesNothing, ButTheTestWouldSee) {
  allocations = 0;
  const auto frame = frame_of(key_of(1, GetParam()));
  EXPECT_GT(allocations, 0U);
  EXPECT_FALSE(frame.empty());
}

INSTANTIATE_TEST_SUITE_P(Families, AllocatesNothing, testing::Values(Family::v4, Family::v6),
                         [](const auto& test) { return test.param == Family::v4 ? "v4" : "v6"; });

}  // namespace
}  // namespace sallyport::dataplane::bench
