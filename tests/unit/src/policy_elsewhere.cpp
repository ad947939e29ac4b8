// What another gateway says of its policy, asked over its own web server.
#include "src/policy_elsewhere.h"

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io/environment_error.h"
#include "src/descriptor.h"
#include "src/monitor/web_client.h"
#include "src/monitor/web_server.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

constexpr const char* metrics = "# TYPE sallyport_policy_info gauge\nsallyport_policy_info{hash=\"abc123\"} 1\n";

// One that was free a moment ago.
int free_port() {
  const Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(probe.get(), plain, size) != 0 || getsockname(probe.get(), plain, &size) != 0) return 0;
  return ntohs(address.sin_port);
}

std::string problem_with(const std::string& where) {
  try {
    (void)policy_hash_at(where, "");
  } catch (const dataplane::EnvironmentError& error) {
    return error.what();
  }
  return {};
}

TEST(PolicyElsewhere, IsReadFromMetricsAndFromShowPolicy) {
  EXPECT_EQ(policy_hash_in(metrics), "abc123");
  EXPECT_EQ(policy_hash_in("{\n  \"loaded\": true,\n  \"hash\": \"abc123\"\n}"), "abc123");
  EXPECT_EQ(policy_hash_in("{\"state\": \"active\", \"policy_hash\": \"abc123\"}"), "abc123");
}

TEST(PolicyElsewhere, NothingIsNothing) {
  for (const char* text :
       {"", "sallyport_policy_loaded 0\n", "{\"loaded\": false}", "{\"hash\": 5}", "{\"hash\": \"\"}", "{"})
    EXPECT_FALSE(policy_hash_in(text)) << text;
}

TEST(PolicyElsewhere, IsAskedOverHttp) {
  const int port = free_port();
  const WebServer server(fmt::format("127.0.0.1:{}", port), "", {{"/metrics", [](auto) {
                                                                    return WebAnswer{200, "text/plain", metrics};
                                                                  }}});
  EXPECT_EQ(policy_hash_at(fmt::format("http://127.0.0.1:{}", port), ""), "abc123");
  EXPECT_EQ(policy_hash_at(fmt::format("http://127.0.0.1:{}/", port), ""), "abc123");
  EXPECT_EQ(policy_hash_at(fmt::format("http://127.0.0.1:{}/metrics", port), ""), "abc123");
  EXPECT_THAT(problem_with(fmt::format("http://127.0.0.1:{}/nothing", port)), HasSubstr("answers 404"));
}

TEST(PolicyElsewhere, ATokenIsSentWhereThereIsOne) {
  const int port = free_port();
  const WebServer server(fmt::format("127.0.0.1:{}", port), "secret", {{"/metrics", [](auto) {
                                                                          return WebAnswer{200, "text/plain", metrics};
                                                                        }}});
  const std::string url = fmt::format("http://127.0.0.1:{}", port);
  EXPECT_EQ(policy_hash_in(fetch(url, "secret")), "abc123");
  EXPECT_THAT(problem_with(url), HasSubstr("--token-file"));
}

TEST(PolicyElsewhere, NobodyThereIsSaid) {
  EXPECT_THAT(problem_with(fmt::format("http://127.0.0.1:{}", free_port())), HasSubstr("nobody answers"));
  EXPECT_THAT(problem_with("egress-2"), HasSubstr("write http://HOST:9464"));
  EXPECT_THAT(problem_with("http://egress-2:x"), HasSubstr("no port"));
  EXPECT_THAT(problem_with("http://[::1"), HasSubstr("bracket"));
  EXPECT_THAT(problem_with("http://:9464"), HasSubstr("no host"));
}

}  // namespace
}  // namespace sallyport
