#include "classifier/pattern_database.h"

#include <cstring>
#include <new>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>
#include <hs/hs.h>

#include "config/document/in_quotes.h"

namespace sallyport::classifier {
namespace {

constexpr unsigned mode = HS_MODE_BLOCK;

[[nodiscard]] std::string message_and_free(hs_compile_error_t* error) {
  std::string message = error != nullptr && error->message != nullptr ? error->message : "cannot be compiled";
  hs_free_compile_error(error);
  return message;
}

[[nodiscard]] std::vector<unsigned> places(std::size_t count) {
  std::vector<unsigned> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

[[nodiscard]] std::string anchored(const std::string& regex) { return "\\A(?:" + regex + ")\\z"; }

[[nodiscard]] hs_database_t* compile(const std::vector<std::string>& regexes, PatternDatabase::Letters letters,
                                     std::string& message) {
  const unsigned flag = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY |
                        (letters == PatternDatabase::Letters::any_case ? unsigned{HS_FLAG_CASELESS} : 0U);
  std::vector<const char*> pointers;
  pointers.reserve(regexes.size());
  for (const std::string& regex : regexes) pointers.push_back(regex.c_str());
  const std::vector<unsigned> flags(regexes.size(), flag);
  const std::vector<unsigned> ids = places(regexes.size());
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(pointers.data(), flags.data(), ids.data(), static_cast<unsigned>(regexes.size()), mode, nullptr,
                       &database, &error) != HS_SUCCESS) {
    message = message_and_free(error);
  }
  return database;
}

}  // namespace

MatchScratch::~MatchScratch() { hs_free_scratch(hyperscan_); }

void MatchScratchDeleter::operator()(MatchScratch* scratch) const noexcept { delete scratch; }

PatternDatabase::~PatternDatabase() { hs_free_database(database_); }

std::shared_ptr<const PatternDatabase> PatternDatabase::of_literals(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  std::vector<std::size_t> lengths;
  for (const std::string& text : texts) {
    pointers.push_back(text.c_str());
    lengths.push_back(text.size());
  }
  const std::vector<unsigned> flags(texts.size(), 0);
  const std::vector<unsigned> ids = places(texts.size());
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(pointers.data(), flags.data(), ids.data(), lengths.data(),
                           static_cast<unsigned>(texts.size()), mode, nullptr, &database, &error) != HS_SUCCESS) {
    throw std::runtime_error("Hyperscan: " + message_and_free(error));
  }
  return std::shared_ptr<const PatternDatabase>(new PatternDatabase(database));
}

std::shared_ptr<const PatternDatabase> PatternDatabase::of_whole_texts(const std::vector<std::string>& regexes,
                                                                       Letters letters, std::string& message) {
  std::vector<std::string> whole;
  whole.reserve(regexes.size());
  for (const std::string& regex : regexes) whole.push_back(anchored(regex));
  hs_database_t* database = compile(whole, letters, message);
  if (database == nullptr) return nullptr;
  return std::shared_ptr<const PatternDatabase>(new PatternDatabase(database));
}

// Alone first: "a)|(b" would be two halves of something else inside the anchors.
std::string PatternDatabase::refusal(const std::string& regex, Letters letters) {
  std::string message;
  hs_free_database(compile({regex}, letters, message));
  if (message.empty()) hs_free_database(compile({anchored(regex)}, letters, message));
  if (message.empty()) return message;
  if (message.ends_with('.')) message.pop_back();
  return fmt::format("{}: {}; expected a regular expression as Hyperscan takes them", config::in_quotes(regex),
                     message);
}

bool PatternDatabase::scan(std::size_t bytes, MatchScratch& scratch, OnHit on_hit, void* context) const noexcept {
  struct Call {
    OnHit on_hit;
    void* context;
  } call{on_hit, context};
  std::memset(scratch.text_.data() + bytes, 0, MatchScratch::padding);
  const auto hit = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* given) {
    const auto& to_call = *static_cast<const Call*>(given);
    return to_call.on_hit(to_call.context, id, to) ? 1 : 0;
  };
  const hs_error_t result =
      hs_scan(database_, scratch.text_.data(), static_cast<unsigned>(bytes), 0, scratch.hyperscan_, hit, &call);
  return result == HS_SUCCESS || result == HS_SCAN_TERMINATED;
}

void PatternDatabase::reserve(MatchScratch& scratch) const {
  if (hs_alloc_scratch(database_, &scratch.hyperscan_) != HS_SUCCESS) throw std::bad_alloc();
}

std::size_t PatternDatabase::memory_bytes() const noexcept {
  std::size_t bytes = 0;
  return hs_database_size(database_, &bytes) == HS_SUCCESS ? bytes : 0;
}

std::string_view PatternDatabase::hyperscan_version() noexcept { return hs_version(); }

}  // namespace sallyport::classifier
