// A small HTTP client (civetweb behind it), for asking another gateway's web server (web_server.h). Plain HTTP, as that
// one is.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// The body of `url`, "http://HOST[:PORT][/PATH]": /metrics of port 9464 where it does not say. `token` empty: none is
// sent. Throws dataplane::EnvironmentError: nobody there, no answer within five seconds, or another answer than 200.
[[nodiscard]] std::string fetch(std::string_view url, const std::string& token);

}  // namespace sallyport
