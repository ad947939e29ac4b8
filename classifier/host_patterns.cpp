#include "classifier/host_patterns.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

#include <hs/hs.h>

namespace sallyport::classifier {
namespace {

constexpr char mark = '!';
// Hyperscan 5.4.0 reads behind what it scans; so much stays zero there.
constexpr std::size_t padding = 64;
constexpr unsigned mode = HS_MODE_BLOCK;

struct DatabaseDeleter {
  void operator()(hs_database_t* database) const noexcept { hs_free_database(database); }
};
using Database = std::unique_ptr<hs_database_t, DatabaseDeleter>;

[[nodiscard]] std::string message_and_free(hs_compile_error_t* error) {
  std::string message = error != nullptr && error->message != nullptr ? error->message : "cannot be compiled";
  hs_free_compile_error(error);
  return message;
}

// "example.com" -> "!moc.elpmaxe."
[[nodiscard]] std::string backwards(const std::string& text) {
  std::string literal(1, mark);
  literal.append(text.rbegin(), text.rend());
  literal.push_back('.');
  return literal;
}

[[nodiscard]] Database compile_literals(const std::vector<std::string>& texts) {
  std::vector<std::string> literals;
  literals.reserve(texts.size());
  for (const std::string& text : texts) literals.push_back(backwards(text));
  std::vector<const char*> pointers;
  std::vector<std::size_t> lengths;
  std::vector<unsigned> flags(literals.size(), 0), ids;
  for (const std::string& literal : literals) {
    ids.push_back(static_cast<unsigned>(ids.size()));
    pointers.push_back(literal.c_str());
    lengths.push_back(literal.size());
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto count = static_cast<unsigned>(literals.size());
  if (hs_compile_lit_multi(pointers.data(), flags.data(), ids.data(), lengths.data(), count, mode, nullptr, &database,
                           &error) != HS_SUCCESS) {
    // Host names are plain bytes: what refuses them is the machine (no memory, no SSSE3), not the policy.
    throw std::runtime_error("Hyperscan: " + message_and_free(error));
  }
  return Database(database);
}

[[nodiscard]] std::string anchored(const std::string& regex) { return "\\A(?:" + regex + ")\\z"; }
constexpr unsigned regex_flags = HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;

[[nodiscard]] Database compile_regexes(const std::vector<std::string>& regexes, std::string& message) {
  std::vector<const char*> pointers;
  std::vector<unsigned> flags(regexes.size(), regex_flags), ids;
  for (const std::string& regex : regexes) {
    ids.push_back(static_cast<unsigned>(ids.size()));
    pointers.push_back(regex.c_str());
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto count = static_cast<unsigned>(regexes.size());
  if (hs_compile_multi(pointers.data(), flags.data(), ids.data(), count, mode, nullptr, &database, &error) !=
      HS_SUCCESS) {
    message = message_and_free(error);
  }
  return Database(database);
}

// Alone first: "a)|(b" would be two halves of something else inside the anchors.
[[nodiscard]] std::string refusal(const std::string& regex) {
  std::string message;
  (void)compile_regexes({regex}, message);
  if (message.empty()) (void)compile_regexes({anchored(regex)}, message);
  return message;
}

}  // namespace

class MatchScratch {
 public:
  hs_scratch_t* hyperscan = nullptr;
  std::array<char, 1 + HostName::bytes_max + 2 + padding> bytes{};

  // What is scanned, with zeroes behind.
  [[nodiscard]] unsigned put_backwards(std::string_view name) noexcept {
    char* to = bytes.data();
    *to++ = mark;
    to = std::reverse_copy(name.begin(), name.end(), to);
    *to++ = '.';
    *to++ = mark;
    return finish(to);
  }
  [[nodiscard]] unsigned put(std::string_view name) noexcept {
    return finish(std::copy(name.begin(), name.end(), bytes.data()));
  }

 private:
  [[nodiscard]] unsigned finish(char* end) noexcept {
    std::memset(end, 0, static_cast<std::size_t>(bytes.data() + bytes.size() - end));
    return static_cast<unsigned>(end - bytes.data());
  }
};

struct HostPatterns::Impl {
  std::vector<std::string> literals;
  std::vector<std::string> regexes;  // as scanned, anchored
  std::shared_ptr<hs_database_t> literal_database;
  std::shared_ptr<hs_database_t> regex_database;
};

HostPatternId HostPatterns::Builder::add(const config::HostPattern& pattern) {
  if (pattern.kind == config::HostPattern::Kind::regex) {
    const auto [at, fresh] = regex_ids_.emplace(pattern.text, static_cast<std::uint32_t>(regexes_.size()));
    if (fresh) regexes_.push_back(pattern);
    return {true, at->second};
  }
  const auto [at, fresh] = literal_ids_.emplace(pattern.text, static_cast<std::uint32_t>(literals_.size()));
  if (fresh) literals_.push_back(pattern.text);
  return {false, at->second};
}

HostPatterns::HostPatterns(std::unique_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
HostPatterns::~HostPatterns() = default;

HostPatterns::Compiled HostPatterns::compile(Builder builder, const HostPatterns* previous) {
  auto impl = std::make_unique<Impl>();
  impl->literals = std::move(builder.literals_);
  for (const config::HostPattern& regex : builder.regexes_) impl->regexes.push_back(anchored(regex.text));

  const bool same_regexes = previous != nullptr && previous->impl_->regexes == impl->regexes;
  if (same_regexes) {
    impl->regex_database = previous->impl_->regex_database;
  } else if (!impl->regexes.empty()) {
    std::vector<HostPatternError> errors;
    for (const config::HostPattern& regex : builder.regexes_) {
      if (std::string message = refusal(regex.text); !message.empty()) errors.push_back({regex, std::move(message)});
    }
    if (!errors.empty()) return errors;
    std::string message;
    impl->regex_database = compile_regexes(impl->regexes, message);
    if (!message.empty()) return std::vector<HostPatternError>{{builder.regexes_.front(), message}};
  }
  if (previous != nullptr && previous->impl_->literals == impl->literals) {
    impl->literal_database = previous->impl_->literal_database;
  } else if (!impl->literals.empty()) {
    impl->literal_database = compile_literals(impl->literals);
  }
  return std::shared_ptr<const HostPatterns>(new HostPatterns(std::move(impl)));
}

void HostPatterns::ScratchDeleter::operator()(MatchScratch* scratch) const noexcept {
  if (scratch == nullptr) return;
  hs_free_scratch(scratch->hyperscan);
  delete scratch;
}

HostPatterns::Scratch HostPatterns::make_scratch() const {
  Scratch scratch(new MatchScratch);
  for (hs_database_t* database : {impl_->literal_database.get(), impl_->regex_database.get()}) {
    if (database != nullptr && hs_alloc_scratch(database, &scratch->hyperscan) != HS_SUCCESS) throw std::bad_alloc();
  }
  return scratch;
}

namespace {

struct Scan {
  HostPatterns::OnMatch on_match;
  void* context;
  unsigned end_of_name;  // where a literal's hit ends that is the whole name
};

}  // namespace

void HostPatterns::scan_literals(const HostName& name, MatchScratch& scratch, OnMatch on_match,
                                 void* context) const noexcept {
  if (impl_->literal_database == nullptr) return;
  const unsigned length = scratch.put_backwards(name.view());
  Scan scan{on_match, context, length - 1};
  const auto hit = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* given) {
    const auto& s = *static_cast<const Scan*>(given);
    s.on_match(s.context, {false, id}, to == s.end_of_name);
    return 0;
  };
  hs_scan(impl_->literal_database.get(), scratch.bytes.data(), length, 0, scratch.hyperscan, hit, &scan);
}

void HostPatterns::scan_regexes(const HostName& name, MatchScratch& scratch, OnMatch on_match,
                                void* context) const noexcept {
  if (impl_->regex_database == nullptr) return;
  const unsigned length = scratch.put(name.view());
  Scan scan{on_match, context, 0};
  const auto hit = [](unsigned id, unsigned long long, unsigned long long, unsigned, void* given) {
    const auto& s = *static_cast<const Scan*>(given);
    s.on_match(s.context, {true, id}, true);
    return 0;
  };
  hs_scan(impl_->regex_database.get(), scratch.bytes.data(), length, 0, scratch.hyperscan, hit, &scan);
}

std::size_t HostPatterns::literals() const noexcept { return impl_->literals.size(); }
std::size_t HostPatterns::regexes() const noexcept { return impl_->regexes.size(); }
std::size_t HostPatterns::text_bytes(HostPatternId id) const noexcept { return impl_->literals[id.number].size(); }

std::size_t HostPatterns::memory_bytes() const noexcept {
  std::size_t total = 0;
  for (const hs_database_t* database : {impl_->literal_database.get(), impl_->regex_database.get()}) {
    std::size_t bytes = 0;
    if (database != nullptr && hs_database_size(database, &bytes) == HS_SUCCESS) total += bytes;
  }
  return total;
}

std::string_view HostPatterns::hyperscan_version() noexcept { return hs_version(); }

}  // namespace sallyport::classifier
