// What ThreadSanitizer is told, because it cannot see it: Debian's DPDK is built without it, and rte_ring reads halves
// of what it exchanges as a whole.
//
// Each thing that goes from thread to thread is told about by itself. So a ring or a pool orders what its two ends do
// with that thing, as it does in truth, and nothing else: what two workers share besides is still found. In builds
// without ThreadSanitizer all of this is nothing.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SALLYPORT_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SALLYPORT_THREAD_SANITIZER 1
#endif

#ifdef SALLYPORT_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace sallyport::dataplane {

#ifdef SALLYPORT_THREAD_SANITIZER

// The thread that lets go of a thing, before it does.
inline void tell_passed_on(void* thing) noexcept { __tsan_release(thing); }
// The thread that has got it, before it looks inside.
inline void tell_taken_over(void* thing) noexcept { __tsan_acquire(thing); }

// While one of these lives, what its thread reads and writes is not looked at: around DPDK's inline functions.
class Unseen {
 public:
  Unseen() noexcept {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Unseen() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
};

// A part of what only one thread may use at a time. Two that enter without an order between them are reported, although
// what they do inside is unseen.
class OneAtATime {
 public:
  void enter() noexcept { entered_ = !entered_; }

 private:
  bool entered_ = false;
};

#else

inline void tell_passed_on(void* /*thing*/) noexcept {}
inline void tell_taken_over(void* /*thing*/) noexcept {}

class Unseen {
 public:
  Unseen() noexcept {}
  ~Unseen() {}
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
};

class OneAtATime {
 public:
  void enter() noexcept {}
};

#endif

}  // namespace sallyport::dataplane
