#include "src/setup/questions.h"

#include <istream>

#include <fmt/format.h>

namespace sallyport::setup {

Questions::Questions(Mode mode, std::istream& answers, std::FILE* asked)
    : mode_(mode), answers_(answers), asked_(asked) {}

bool Questions::agrees(const std::string& question) {
  if (mode_ != Mode::ask) return mode_ == Mode::agree;
  fmt::print(asked_, "{} [y/N] ", question);
  std::fflush(asked_);
  std::string answer;
  return std::getline(answers_, answer) && (answer == "y" || answer == "Y" || answer == "yes");
}

std::optional<std::string> Questions::text(const std::string& question, const std::string& otherwise) {
  std::optional<std::string> usual = otherwise.empty() ? std::nullopt : std::optional(otherwise);
  if (mode_ != Mode::ask) return usual;
  fmt::print(asked_, "{}{}: ", question, otherwise.empty() ? "" : " [" + otherwise + "]");
  std::fflush(asked_);
  std::string answer;
  if (!std::getline(answers_, answer) || answer.empty()) return usual;
  return answer;
}

}  // namespace sallyport::setup
