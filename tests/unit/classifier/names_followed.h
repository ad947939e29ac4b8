// A client's stream through the followers of both versions of HTTP, as the dataplane feeds them: whatever is there,
// from the first byte on that was not consumed; for unit tests and fuzz targets.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "classifier/names/http2_follower.h"
#include "classifier/names/http_follower.h"

namespace sallyport::classifier::names {

class Followed {
 public:
  Followed() = default;
  Followed(const Followed&) = delete;
  Followed& operator=(const Followed&) = delete;
  ~Followed() { end_inflater(inflater_); }

  void feed(std::string_view bytes) {
    if (!end_.empty()) return;
    const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(beyond_, bytes.size()));
    beyond_ -= passed;
    consumed_ += passed;
    unread_ += bytes.substr(passed);
    read(std::exchange(unread_, {}));
  }
  // "GET httpbin.org /get x=y\n" for each request, and how it ended: "" with all that is whole read.
  [[nodiscard]] const std::string& requests() const { return requests_; }
  [[nodiscard]] const std::string& end() const { return end_; }
  // Bytes that were decided or of a body.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  bool operator==(const Followed& other) const {
    return requests_ == other.requests_ && end_ == other.end_ && (!end_.empty() || consumed_ == other.consumed_);
  }

 private:
  // What cannot be read yet stays in unread_.
  void read(const std::string& now) {
    std::size_t done = 0;
    while (done < now.size() && end_.empty()) {
      // A block of its exact size, so that a sanitizer sees every read outside.
      const std::vector<std::uint8_t> exact(now.begin() + static_cast<std::ptrdiff_t>(done), now.end());
      RequestHead head;
      const HttpStep step = next(exact, head);
      if (step.what == HttpStep::What::need_more) break;
      take(step, head);
      done += step.bytes;
      const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(step.skip, now.size() - done));
      done += skipped;
      beyond_ = step.skip - skipped;
    }
    consumed_ += done;
    unread_ = now.substr(done);
  }

  HttpStep next(const std::vector<std::uint8_t>& bytes, RequestHead& head) {
    if (inflater_ == nullptr) return http1_.next(bytes, fields_, head);
    FieldRoom room{fields_, text_};
    return http2_.next(bytes, *inflater_, room, head);
  }

  void take(const HttpStep& step, const RequestHead& head) {
    switch (step.what) {
      case HttpStep::What::request:
        requests_ += std::string(head.method) + ' ' + std::string(head.host) + ' ' + std::string(head.target);
        for (const HeaderField& field : head.fields)
          requests_ += ' ' + std::string(field.name) + '=' + std::string(field.value);
        requests_ += '\n';
        break;
      case HttpStep::What::http2:
        inflater_ = begin_inflater(*memory_);
        requests_ += "HTTP/2\n";
        break;
      case HttpStep::What::not_http:
        end_ = "not HTTP";
        break;
      case HttpStep::What::malformed:
        end_ = "malformed";
        break;
      case HttpStep::What::too_large:
        end_ = "too large";
        break;
      case HttpStep::What::framing:
      case HttpStep::What::need_more:
        break;
    }
  }

  std::unique_ptr<HpackMemory, HpackMemoryDeleter> memory_ = make_hpack_memory(std::size_t{256} << 10U);
  HttpFollower http1_;
  Http2Follower http2_;
  Inflater* inflater_ = nullptr;
  std::array<HeaderField, header_fields_max> fields_{};
  std::vector<char> text_ = std::vector<char>(std::size_t{64} << 10U);
  std::string unread_, requests_, end_;
  std::uint64_t beyond_ = 0;
  std::size_t consumed_ = 0;
};

}  // namespace sallyport::classifier::names
