// One matches[] of an http_route or a grpc_route, compiled: does a request match it, and how closely?
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/decision.h"
#include "classifier/pattern_database.h"
#include "classifier/request_path.h"
#include "config/policy_model.h"

namespace sallyport::classifier {

// How closely a match describes what it takes; lower is closer. Gateway API: Exact path, longest PathPrefix,
// RegularExpression, method, number of headers, number of query parameters. A prefix of "/" is what a match without a
// path says too, and counts as none. Of gRPC: service and method, service, method, RegularExpression.
struct MatchDistance {
  enum class Path : std::uint8_t { exact, prefix, grpc_method, regex, none };
  Path path = Path::none;
  std::uint32_t path_shortness = 0;
  bool any_method = true;
  std::uint32_t headers_left_out = 0;
  std::uint32_t params_left_out = 0;

  friend auto operator<=>(const MatchDistance&, const MatchDistance&) noexcept = default;
};

// A request under one reading of its target; what a match looks at. Views into the request and the scratch.
struct ReadRequest {
  // Without `asks_path` the path is nobody's business, and stays empty.
  ReadRequest(const ShownRequest& shown, Reading as, bool asks_path, MatchScratch& scratch) noexcept;

  const ShownRequest& request;
  Reading reading;
  std::string_view path;
  std::string_view query;
  std::string_view service, method;  // of gRPC: "/service/method"; both empty: the path is none of that form
};

// What there is to a target (path and query) beside its strict reading; of its path only where somebody asks.
struct OtherReadings {
  bool lenient = false, literal = false;  // these differ from it
  bool unclear = false;                   // and there are more (request_path.h)
  [[nodiscard]] bool any() const noexcept { return lenient || literal || unclear; }
};
// Is the path so written that servers may read it differently?
[[nodiscard]] bool is_moot_path(std::string_view target) noexcept;
[[nodiscard]] OtherReadings other_readings(std::string_view target, bool asks_path, MatchScratch& scratch) noexcept;

class RequestMatch {
 public:
  using Regex = std::shared_ptr<const PatternDatabase>;
  // The one that matches a whole text, or nothing where it cannot be compiled.
  using FindRegex = Regex (*)(void* context, const std::string& regex);

  // Where some regular expression is nothing, this is not to be asked.
  RequestMatch(const config::HttpMatch& match, config::RouteKind kind, FindRegex find_regex, void* context);

  [[nodiscard]] const MatchDistance& distance() const noexcept { return distance_; }
  [[nodiscard]] bool takes(const ReadRequest& request, MatchScratch& scratch) const noexcept;
  [[nodiscard]] bool asks_path() const noexcept { return distance_.path != MatchDistance::Path::none; }
  [[nodiscard]] bool asks_headers() const noexcept { return !headers_.empty(); }

 private:
  struct Text {
    std::string exact;
    Regex regex;  // where there is one, it decides

    [[nodiscard]] bool takes(std::string_view value, MatchScratch& scratch) const noexcept;
  };
  struct Named {
    std::string name;
    Text value;
  };

  [[nodiscard]] Text text_of(const config::StringMatch& match, FindRegex find_regex, void* context);
  void take_path(const config::StringMatch& path, FindRegex find_regex, void* context);
  void take_grpc(const config::HttpMatch& match, FindRegex find_regex, void* context);

  [[nodiscard]] bool takes_path(const ReadRequest& request, MatchScratch& scratch) const noexcept;
  [[nodiscard]] static bool has_header(const ReadRequest& request, const Named& wanted, MatchScratch& scratch) noexcept;
  [[nodiscard]] static bool has_param(const ReadRequest& request, const Named& wanted, MatchScratch& scratch) noexcept;

  bool grpc_;
  MatchDistance distance_;
  std::array<std::string, readings> path_;  // Exact and PathPrefix, by reading; a prefix without the slash at its end
  Regex path_regex_;
  std::optional<Text> service_, grpc_method_;
  std::optional<std::string> method_;
  std::vector<Named> headers_;
  std::vector<Named> params_;
};

}  // namespace sallyport::classifier
