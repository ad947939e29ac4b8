// Bytes that may be a DNS message, as a query and as an answer: what is said of them is said of the message alone,
// holds with any room for addresses, and no byte outside is read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "classifier/names/dns_answer.h"
#include "tests/fuzz/cuts.h"

namespace {

using namespace sallyport::classifier::names;
using namespace sallyport::fuzz;

struct Answer {
  Parse parse = Parse::malformed;
  DnsAnswer answer;
  std::vector<DnsAddress> addresses;
};

Answer ask(Bytes message, std::size_t room) {
  Answer out;
  out.addresses.resize(room);
  out.parse = parse_dns_answer(message, out.answer, out.addresses);
  insist(out.answer.addresses <= room);
  insist(!out.answer.more || out.answer.addresses == room);
  out.addresses.resize(out.answer.addresses);
  insist(out.parse == Parse::done || out.parse == Parse::malformed || out.parse == Parse::not_this);
  if (out.parse != Parse::done || out.answer.truncated || out.answer.code != 0) insist(out.addresses.empty());
  return out;
}

void check_question(Bytes message, const DnsQuestion& question) {
  std::array<char, DnsName::bytes_max> room;
  const auto text = question.name.text(room);
  insist(text.size() <= 253 && text.find('\0') == text.npos);
  insist(question.as_sent.size() == question.name.labels().size() + 5);
  insist(question.as_sent.data() == message.data() + 12);
}

// The first few addresses are the same whatever the room is.
void check_answer(Bytes message) {
  const Answer whole = ask(message, 64);
  const Answer few = ask(message, 2);
  insist(few.parse == whole.parse && few.addresses.size() == std::min<std::size_t>(whole.addresses.size(), 2));
  for (std::size_t i = 0; i < few.addresses.size(); ++i) {
    insist(few.addresses[i].address == whole.addresses[i].address && few.addresses[i].ttl_s <= 0x7fff'ffff);
  }
  if (whole.parse == Parse::done) check_question(message, whole.answer.question);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A buffer of its exact size, so that AddressSanitizer sees every read outside.
  const std::vector<std::uint8_t> bytes(data, data + size);
  check_answer(bytes);
  DnsQuestion question;
  if (parse_dns_query(bytes, question) == Parse::done) check_question(bytes, question);
  Bytes message;
  if (first_dns_message(bytes, message) == Parse::done) {
    insist(message.data() == bytes.data() + 2 && message.size() + 2 <= size);
    check_answer(std::vector<std::uint8_t>(message.begin(), message.end()));
  }
  return 0;
}
