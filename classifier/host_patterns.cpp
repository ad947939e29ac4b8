#include "classifier/host_patterns.h"

#include <algorithm>
#include <utility>

namespace sallyport::classifier {
namespace {

using Letters = PatternDatabase::Letters;

constexpr char mark = '!';

// "example.com" -> "!moc.elpmaxe."
[[nodiscard]] std::string backwards(const std::string& text) {
  std::string literal(1, mark);
  literal.append(text.rbegin(), text.rend());
  literal.push_back('.');
  return literal;
}

// Host names are plain bytes: what refuses them is the machine, not the policy.
[[nodiscard]] std::shared_ptr<const PatternDatabase> compile_literals(const std::vector<std::string>& texts) {
  std::vector<std::string> literals;
  literals.reserve(texts.size());
  for (const std::string& text : texts) literals.push_back(backwards(text));
  return PatternDatabase::of_literals(literals);
}

// Puts what is scanned into the scratch; how long it is.
[[nodiscard]] std::size_t put_backwards(std::string_view name, MatchScratch& scratch) noexcept {
  char* to = scratch.text();
  *to++ = mark;
  to = std::reverse_copy(name.begin(), name.end(), to);
  *to++ = '.';
  *to++ = mark;
  return static_cast<std::size_t>(to - scratch.text());
}

}  // namespace

struct HostPatterns::Impl {
  std::vector<std::string> literals;
  std::vector<std::string> regexes;
  std::shared_ptr<const PatternDatabase> literal_database;
  std::shared_ptr<const PatternDatabase> regex_database;
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
  for (const config::HostPattern& regex : builder.regexes_) impl->regexes.push_back(regex.text);

  const bool same_regexes = previous != nullptr && previous->impl_->regexes == impl->regexes;
  if (same_regexes) {
    impl->regex_database = previous->impl_->regex_database;
  } else if (!impl->regexes.empty()) {
    std::vector<HostPatternError> errors;
    for (const config::HostPattern& regex : builder.regexes_) {
      if (std::string message = PatternDatabase::refusal(regex.text, Letters::any_case); !message.empty())
        errors.push_back({regex, std::move(message)});
    }
    if (!errors.empty()) return errors;
    std::string message;
    impl->regex_database = PatternDatabase::of_whole_texts(impl->regexes, Letters::any_case, message);
    if (!message.empty()) return std::vector<HostPatternError>{{builder.regexes_.front(), message}};
  }
  if (previous != nullptr && previous->impl_->literals == impl->literals) {
    impl->literal_database = previous->impl_->literal_database;
  } else if (!impl->literals.empty()) {
    impl->literal_database = compile_literals(impl->literals);
  }
  return std::shared_ptr<const HostPatterns>(new HostPatterns(std::move(impl)));
}

void HostPatterns::reserve(MatchScratch& scratch) const {
  if (impl_->literal_database) impl_->literal_database->reserve(scratch);
  if (impl_->regex_database) impl_->regex_database->reserve(scratch);
}

HostPatterns::Scratch HostPatterns::make_scratch() const {
  Scratch scratch(new MatchScratch);
  reserve(*scratch);
  return scratch;
}

namespace {

struct Scan {
  HostPatterns::OnMatch on_match;
  void* context;
  std::size_t end_of_name;  // where a literal's hit ends that is the whole name
};

}  // namespace

void HostPatterns::scan_literals(const HostName& name, MatchScratch& scratch, OnMatch on_match,
                                 void* context) const noexcept {
  if (impl_->literal_database == nullptr) return;
  const std::size_t length = put_backwards(name.view(), scratch);
  Scan scan{on_match, context, length - 1};
  const auto hit = [](void* given, unsigned id, unsigned long long end) noexcept {
    const auto& s = *static_cast<const Scan*>(given);
    s.on_match(s.context, {false, id}, end == s.end_of_name);
    return false;
  };
  impl_->literal_database->scan(length, scratch, hit, &scan);
}

void HostPatterns::scan_regexes(const HostName& name, MatchScratch& scratch, OnMatch on_match,
                                void* context) const noexcept {
  if (impl_->regex_database == nullptr) return;
  std::copy(name.view().begin(), name.view().end(), scratch.text());
  Scan scan{on_match, context, 0};
  const auto hit = [](void* given, unsigned id, unsigned long long) noexcept {
    const auto& s = *static_cast<const Scan*>(given);
    s.on_match(s.context, {true, id}, true);
    return false;
  };
  impl_->regex_database->scan(name.size(), scratch, hit, &scan);
}

std::size_t HostPatterns::literals() const noexcept { return impl_->literals.size(); }
std::size_t HostPatterns::regexes() const noexcept { return impl_->regexes.size(); }
std::size_t HostPatterns::text_bytes(HostPatternId id) const noexcept { return impl_->literals[id.number].size(); }

std::size_t HostPatterns::memory_bytes() const noexcept {
  std::size_t total = 0;
  if (impl_->literal_database) total += impl_->literal_database->memory_bytes();
  if (impl_->regex_database) total += impl_->regex_database->memory_bytes();
  return total;
}

std::string_view HostPatterns::hyperscan_version() noexcept { return PatternDatabase::hyperscan_version(); }

}  // namespace sallyport::classifier
