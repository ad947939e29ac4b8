#include "src/replication/redis_log.h"

#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <hiredis.h>

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Words = std::initializer_list<std::string_view>;

constexpr std::string_view key = "sallyport:flows";
constexpr std::string_view forgotten_after_ms = "600000";
constexpr std::string_view entries_at_once = "64";
constexpr auto answer_within = 1s;

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, Free>;

timeval time_of(std::chrono::milliseconds time) {
  return {time.count() / 1000, static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

std::string_view text_of(const redisReply& reply) {
  const bool has_text = reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS;
  return has_text ? std::string_view(reply.str, reply.len) : std::string_view{};
}

// "1700000000000-0"
bool read_position(std::string_view text, ChangeLog::Position& into) {
  const char* end = text.data() + text.size();
  const auto ms = std::from_chars(text.data(), end, into.ms);
  if (ms.ec != std::errc{} || ms.ptr == end || *ms.ptr != '-') return false;
  const auto number = std::from_chars(ms.ptr + 1, end, into.number);
  return number.ec == std::errc{} && number.ptr == end;
}

std::string text_of(const ChangeLog::Position& position) { return fmt::format("{}-{}", position.ms, position.number); }

const redisReply* element(const redisReply& array, std::size_t index) {
  return array.type == REDIS_REPLY_ARRAY && index < array.elements ? array.element[index] : nullptr;
}

// [id, [field, value]]
bool read_entry(const redisReply& entry, ChangeLog::Position& at, std::string_view& value) {
  const redisReply* id = element(entry, 0);
  const redisReply* fields = element(entry, 1);
  const redisReply* first = fields == nullptr ? nullptr : element(*fields, 1);
  if (first == nullptr || !read_position(text_of(*id), at)) return false;
  value = text_of(*first);
  return true;
}

class RedisLog : public ChangeLog {
 public:
  explicit RedisLog(std::string socket) : socket_(std::move(socket)) {}

  std::string connect() override {
    context_.reset(redisConnectUnixWithTimeout(socket_.c_str(), time_of(answer_within)));
    if (context_ == nullptr) return "no memory for a connection";
    if (context_->err != 0) return problem(context_->errstr);
    if (redisSetTimeout(context_.get(), time_of(answer_within)) != REDIS_OK) return problem(context_->errstr);
    return {};
  }

  std::string append(std::string_view entry, Position& at) override {
    send({"XADD", key, "*", "f", entry});
    send({"PEXPIRE", key, forgotten_after_ms});
    Reply added, kept;
    std::string wrong = receive(added);
    if (wrong.empty()) wrong = receive(kept);
    if (wrong.empty() && !read_position(text_of(*added), at)) wrong = problem("XADD was answered by no position");
    return wrong;
  }

  std::string trim(const Position& first) override {
    send({"XTRIM", key, "MINID", text_of(first)});
    Reply reply;
    return receive(reply);
  }

  std::string find_last(Position& last) override {
    send({"XREVRANGE", key, "+", "-", "COUNT", "1"});
    Reply reply;
    std::string wrong = receive(reply);
    std::string_view ignored;
    const redisReply* entry = wrong.empty() ? element(*reply, 0) : nullptr;
    if (entry != nullptr && !read_entry(*entry, last, ignored)) wrong = problem("the stream has another shape");
    return wrong;
  }

  std::string read(Position& after, std::chrono::milliseconds patience, std::vector<std::string>& entries) override {
    const std::string from = text_of(after);
    if (patience == 0ms) {
      send({"XREAD", "COUNT", entries_at_once, "STREAMS", key, from});
    } else {
      send({"XREAD", "COUNT", entries_at_once, "BLOCK", std::to_string(patience.count()), "STREAMS", key, from});
    }
    Reply reply;
    std::string wrong = receive(reply);
    if (!wrong.empty() || reply->type == REDIS_REPLY_NIL) return wrong;
    // [[key, [entry, ..]]]
    const redisReply* stream = element(*reply, 0);
    const redisReply* list = stream == nullptr ? nullptr : element(*stream, 1);
    if (list == nullptr) return problem("the stream has another shape");
    for (std::size_t i = 0; const redisReply* entry = element(*list, i); ++i) {
      std::string_view value;
      if (!read_entry(*entry, after, value)) return problem("the stream has another shape");
      entries.emplace_back(value);
    }
    return {};
  }

 private:
  [[nodiscard]] std::string problem(std::string_view what) const {
    return fmt::format("Redis at {}: {}", socket_, what);
  }

  // Errors of writing come up with the answer.
  void send(Words words) {
    std::array<const char*, 8> texts{};
    std::array<std::size_t, 8> lengths{};
    std::size_t count = 0;
    for (const std::string_view word : words) {
      texts[count] = word.data();
      lengths[count++] = word.size();
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(count), texts.data(), lengths.data());
  }
  std::string receive(Reply& into) {
    void* reply = nullptr;
    const int result = redisGetReply(context_.get(), &reply);
    into.reset(static_cast<redisReply*>(reply));
    if (result != REDIS_OK || into == nullptr) return problem(context_->errstr);
    if (into->type == REDIS_REPLY_ERROR) return problem({into->str, into->len});
    return {};
  }

  const std::string socket_;
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace

std::unique_ptr<ChangeLog> redis_log(std::string socket) { return std::make_unique<RedisLog>(std::move(socket)); }

}  // namespace sallyport
