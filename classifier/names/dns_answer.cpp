// Two passes over a message: one that checks every record and notes the CNAMEs, and, when the end of the chain is
// known, one that takes its addresses.
#include "classifier/names/dns_answer.h"

#include <algorithm>

namespace sallyport::classifier::names {
namespace {

constexpr std::size_t header_bytes = 12;
constexpr unsigned pointers_max = 128;

}  // namespace

// Reads a name at a place of the message, pointers and all (RFC 1035 section 4.1.4).
class DnsNameReader {
 public:
  // False: the name is malformed. `end`: the place behind it.
  [[nodiscard]] static bool read(Bytes message, std::size_t at, DnsName& name, std::size_t& end) noexcept {
    name.size_ = 0;
    std::size_t run = at;  // where the present run of labels began: a pointer leads before it
    bool jumped = false;
    unsigned pointers = 0;
    while (at < message.size()) {
      const std::uint8_t length = message[at];
      if (length == 0) {
        if (!jumped) end = at + 1;
        return true;
      }
      switch (length >> 6U) {
        case 0:
          if (!append(message, at, name)) return false;
          at += 1U + length;
          break;
        case 3: {
          if (at + 1 >= message.size()) return false;
          const std::size_t to = (length & 0x3fU) << 8U | message[at + 1];
          // One to each label is the most that a name can want.
          if (to >= run || to < header_bytes || ++pointers > pointers_max) return false;
          if (!jumped) end = at + 2;
          jumped = true;
          at = run = to;
          break;
        }
        default:
          return false;  // RFC 6891 section 5: no extended label types
      }
    }
    return false;
  }

 private:
  [[nodiscard]] static bool append(Bytes message, std::size_t at, DnsName& name) noexcept {
    const std::size_t bytes = 1U + message[at];
    if (bytes > message.size() - at || name.size_ + bytes >= DnsName::bytes_max) return false;
    name.bytes_[name.size_] = message[at];
    for (std::size_t i = 1; i < bytes; ++i) {
      const std::uint8_t byte = message[at + i];
      name.bytes_[name.size_ + i] = byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte | 0x20U) : byte;
    }
    name.size_ = static_cast<std::uint8_t>(name.size_ + bytes);
    return true;
  }
};

std::string_view DnsName::text(std::array<char, bytes_max>& room) const noexcept {
  std::size_t used = 0;
  for (std::size_t at = 0; at < size_; at += 1U + bytes_[at]) {
    if (at != 0) room[used++] = '.';
    for (const std::uint8_t byte : labels().subspan(at + 1, bytes_[at])) {
      if (byte == '.' || byte == 0) return {};
      room[used++] = static_cast<char>(byte);
    }
  }
  return {room.data(), used};
}

bool operator==(const DnsName& a, const DnsName& b) noexcept { return std::ranges::equal(a.labels(), b.labels()); }

namespace {

constexpr std::uint16_t type_a = 1, type_cname = 5, type_opt = 41, type_aaaa = 28;
constexpr std::uint16_t class_in = 1;
constexpr std::size_t aliases_max = 16;
constexpr std::size_t records_max = 8192;  // 65535 bytes hold 5957 of the smallest

struct Header {
  std::uint16_t id = 0, flags = 0, questions = 0, answers = 0, authorities = 0, additionals = 0;

  [[nodiscard]] bool is_answer() const noexcept { return (flags & 0x8000U) != 0; }
  [[nodiscard]] unsigned opcode() const noexcept { return flags >> 11U & 0xfU; }
  [[nodiscard]] bool truncated() const noexcept { return (flags & 0x0200U) != 0; }
  [[nodiscard]] std::uint16_t code() const noexcept { return flags & 0xfU; }
};

[[nodiscard]] bool read_header(Bytes message, Header& header) noexcept {
  Reader reader(message);
  for (auto* field :
       {&header.id, &header.flags, &header.questions, &header.answers, &header.authorities, &header.additionals}) {
    *field = reader.u16();
  }
  return !reader.failed();
}

// The one question, which nobody has a reason to compress.
[[nodiscard]] Parse read_question(Bytes message, DnsQuestion& question) noexcept {
  std::size_t end = 0;
  if (!DnsNameReader::read(message, header_bytes, question.name, end)) return Parse::malformed;
  Reader reader(message.subspan(end));
  question.type = reader.u16();
  const std::uint16_t name_class = reader.u16();
  if (reader.failed() || end != header_bytes + question.name.labels().size() + 1) return Parse::malformed;
  question.as_sent = message.subspan(header_bytes, end + 4 - header_bytes);
  return name_class == class_in ? Parse::done : Parse::not_this;
}

struct Record {
  std::size_t owner = 0;  // the place of its name
  std::uint16_t type = 0, record_class = 0;
  std::uint32_t ttl = 0;
  std::size_t data = 0;  // the place of its data
  std::size_t bytes = 0;
};

// The record at `at`, which goes behind it.
[[nodiscard]] bool read_record(Bytes message, std::size_t& at, Record& record, DnsName& owner) noexcept {
  record.owner = at;
  std::size_t end = 0;
  if (!DnsNameReader::read(message, at, owner, end)) return false;
  Reader reader(message.subspan(end));
  record.type = reader.u16();
  record.record_class = reader.u16();
  record.ttl = reader.u32();
  record.bytes = reader.u16();
  const Bytes data = reader.bytes(record.bytes);
  if (reader.failed()) return false;
  record.data = end + 10;
  at = record.data + data.size();
  return true;
}

// RFC 2181 section 8: a TTL with its highest bit set counts as 0.
[[nodiscard]] std::uint32_t ttl_of(std::uint32_t ttl) noexcept { return ttl > 0x7fff'ffffU ? 0 : ttl; }

class AnswerReader {
 public:
  AnswerReader(Bytes message, const Header& header, std::size_t records, DnsAnswer& answer) noexcept
      : message_(message), header_(header), records_(records), answer_(answer) {}

  // Every record is whole, and the last one ends with the message.
  [[nodiscard]] bool check() noexcept {
    std::size_t at = records_;
    const std::size_t total = std::size_t{header_.answers} + header_.authorities + header_.additionals;
    if (total > records_max) return false;
    bool extended = false;
    for (std::size_t i = 0; i < total; ++i) {
      Record record;
      if (!read_record(message_, at, record, owner_)) return false;
      if (record.type == type_opt) {
        if (extended || i < std::size_t{header_.answers} + header_.authorities) return false;
        extended = true;
        answer_.code = static_cast<std::uint16_t>(answer_.code | (record.ttl >> 24U) << 4U);
      } else if (i < header_.answers && !check_answer(record)) {
        return false;
      }
    }
    return at == message_.size();
  }

  // From the name that was asked to the last one. False: the chain bites its tail.
  [[nodiscard]] bool follow_aliases() noexcept {
    last_ = answer_.question.name;
    for (std::size_t steps = 0;; ++steps) {
      const auto next = std::find_if(aliases_.begin(), aliases_.begin() + alias_count_, [&](const Record& alias) {
        std::size_t end = 0;
        return DnsNameReader::read(message_, alias.owner, owner_, end) && owner_ == last_;
      });
      if (next == aliases_.begin() + alias_count_) return true;
      if (steps == alias_count_) return false;
      std::size_t end = 0;
      if (!DnsNameReader::read(message_, next->data, last_, end)) return false;
      ttl_ = std::min(ttl_, ttl_of(next->ttl));
    }
  }

  void take_addresses(std::span<DnsAddress> room) noexcept {
    std::size_t at = records_;
    for (std::size_t i = 0; i < header_.answers; ++i) {
      Record record;
      if (!read_record(message_, at, record, owner_)) return;
      if (!is_address(record) || !(owner_ == last_)) continue;
      if (answer_.addresses == room.size()) {
        answer_.more = true;
        return;
      }
      DnsAddress& taken = room[answer_.addresses++];
      taken.address = {};
      taken.address.family = record.type == type_a ? Family::v4 : Family::v6;
      std::copy_n(message_.begin() + static_cast<std::ptrdiff_t>(record.data), record.bytes,
                  taken.address.bytes.begin());
      taken.ttl_s = std::min(ttl_, ttl_of(record.ttl));
    }
  }

 private:
  [[nodiscard]] static bool is_address(const Record& record) noexcept {
    return record.record_class == class_in && (record.type == type_a || record.type == type_aaaa);
  }

  [[nodiscard]] bool check_answer(const Record& record) noexcept {
    if (is_address(record)) return record.bytes == (record.type == type_a ? 4U : 16U);
    if (record.record_class != class_in || record.type != type_cname) return true;
    std::size_t end = 0;
    if (!DnsNameReader::read(message_, record.data, owner_, end) || end != record.data + record.bytes) return false;
    if (alias_count_ == aliases_max) return false;
    aliases_[alias_count_++] = record;
    return true;
  }

  Bytes message_;
  const Header& header_;
  std::size_t records_;  // the place of the first
  DnsAnswer& answer_;
  std::array<Record, aliases_max> aliases_;
  std::size_t alias_count_ = 0;
  DnsName owner_, last_;
  std::uint32_t ttl_ = 0x7fff'ffffU;
};

}  // namespace

Parse parse_dns_query(Bytes message, DnsQuestion& question) noexcept {
  Header header;
  if (!read_header(message, header)) return Parse::malformed;
  if (header.is_answer() || header.opcode() != 0) return Parse::not_this;
  if (header.questions != 1) return Parse::malformed;
  question.id = header.id;
  return read_question(message, question);
}

Parse parse_dns_answer(Bytes message, DnsAnswer& answer, std::span<DnsAddress> room) noexcept {
  answer = DnsAnswer{};
  Header header;
  if (!read_header(message, header)) return Parse::malformed;
  if (!header.is_answer() || header.opcode() != 0) return Parse::not_this;
  if (header.questions != 1) return Parse::malformed;
  answer.question.id = header.id;
  answer.truncated = header.truncated();
  answer.code = header.code();
  if (const Parse question = read_question(message, answer.question); question != Parse::done) return question;
  AnswerReader reader(message, header, header_bytes + answer.question.as_sent.size(), answer);
  // A truncated message may end anywhere; it says nothing but "ask again".
  if (answer.truncated) return Parse::done;
  if (!reader.check() || !reader.follow_aliases()) return Parse::malformed;
  if (answer.code == 0) reader.take_addresses(room);
  return Parse::done;
}

Parse first_dns_message(Bytes stream, Bytes& message) noexcept {
  Reader reader(stream);
  const std::size_t length = reader.u16();
  if (reader.failed()) return Parse::need_more;
  if (length == 0) return Parse::malformed;
  message = reader.bytes(length);
  return reader.failed() ? Parse::need_more : Parse::done;
}

}  // namespace sallyport::classifier::names
