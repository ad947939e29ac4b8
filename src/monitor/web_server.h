// A small HTTP server for whoever watches the gateway (civetweb behind it). Answers GET and HEAD, and keeps others out:
//
// - with a token, who does not send it as "Authorization: Bearer TOKEN" (RFC 6750) is answered 401;
// - without one it listens on loopback alone, and a request that names another host than this machine is answered 421:
//   a page from elsewhere whose name was made to point here (DNS rebinding) reads nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct WebAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};

class WebServer {
 public:
  // Called by several threads, with what stands behind "?" in the request, as sent.
  using Handler = std::function<WebAnswer(std::string_view query)>;
  struct Page {
    std::string path;  // "/metrics"
    Handler handler;
  };

  // `listen` as civetweb and sallyport.toml write it: "127.0.0.1:9464", "[::1]:9464". `token` empty: none is wanted.
  // Throws dataplane::EnvironmentError.
  WebServer(const std::string& listen, std::string token, std::vector<Page> pages);
  // Waits for answers under way.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The value of a field of a form, decoded (application/x-www-form-urlencoded); empty: it is not there.
[[nodiscard]] std::string form_value(std::string_view query, std::string_view name);

// The first line of a file: a bearer token. Throws dataplane::EnvironmentError where there is none, or others may read
// it.
[[nodiscard]] std::string read_token(const std::string& path);

}  // namespace sallyport
