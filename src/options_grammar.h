// What one command takes, and what it was given. The door of Boost.Program_options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "config/address.h"

namespace sallyport {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

// `hidden` holds the positional words.
struct Grammar {
  explicit Grammar(std::string_view name);
  std::string_view command;
  po::options_description options;
  po::options_description hidden;
  po::positional_options_description positions;

  Grammar& text(const char* name, const char* value_name, const char* help);
  Grammar& list(const char* name, const char* value_name, const char* help);   // may be given again
  Grammar& words(const char* name, const char* value_name, const char* help);  // several at once
  Grammar& flag(const char* name, const char* help);
};

class Values {
 public:
  // Throws WrongOption, as do the following.
  Values(const Grammar& grammar, const std::vector<std::string>& arguments);

  [[nodiscard]] bool has(const char* name) const { return values_.count(name) != 0; }
  [[nodiscard]] std::string text(const char* name, std::string otherwise = {}) const;
  [[nodiscard]] Arguments texts(const char* name) const;
  [[nodiscard]] std::string required(const char* name) const;
  [[nodiscard]] IpAddress required_address(const char* name) const;

 private:
  [[nodiscard]] std::string given(const char* name) const;

  std::string_view command_;
  po::variables_map values_;
};

}  // namespace sallyport
