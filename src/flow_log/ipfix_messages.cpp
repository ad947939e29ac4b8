#include "src/flow_log/ipfix_messages.h"

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include <fixbuf/public.h>

namespace sallyport {
namespace {

constexpr std::uint16_t first_template = 256;  // RFC 7011 section 3.4.3

static_assert(sizeof(IpfixText) == sizeof(fbVarfield_t) && offsetof(IpfixText, text) == offsetof(fbVarfield_t, buf));

// What went wrong, freed when it was asked for.
class Problem {
 public:
  Problem() = default;
  ~Problem() { clear(); }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  [[nodiscard]] GError** out() noexcept {
    clear();
    return &error_;
  }
  [[nodiscard]] bool is_full_message() const noexcept {
    return g_error_matches(error_, FB_ERROR_DOMAIN, FB_ERROR_EOM) != FALSE;
  }
  [[nodiscard]] std::string text() const { return error_ != nullptr ? error_->message : "no reason given"; }

 private:
  void clear() noexcept { g_clear_error(&error_); }

  GError* error_ = nullptr;
};

std::uint16_t number_of(std::size_t index) { return static_cast<std::uint16_t>(first_template + index); }

}  // namespace

struct IpfixMessages::Parts {
  Send send;
  fbInfoModel_t* model = fbInfoModelAlloc();
  fbExporter_t* exporter = nullptr;  // the buffer's, as the session is
  fbSession_t* session = nullptr;
  fBuf_t* buffer = nullptr;
  std::array<std::uint8_t, bytes_max> message{};
  bool is_empty = true;

  ~Parts() {
    if (buffer != nullptr) {
      fBufFree(buffer);
    } else if (session != nullptr) {
      fbSessionFree(session);
    }
    fbInfoModelFree(model);
  }

  // Once for what we give and once for what is sent, which is the same.
  void declare(const IpfixTemplate& elements, std::uint16_t number) const {
    std::vector<fbInfoElementSpec_t> specification;
    for (const IpfixElement& element : elements)
      specification.push_back({const_cast<char*>(element.name), element.bytes, 0});  // it is only read
    specification.push_back(FB_IESPEC_NULL);
    Problem problem;
    for (const bool is_internal : {true, false}) {
      fbTemplate_t* declared = fbTemplateAlloc(model);
      if (fbTemplateAppendSpecArray(declared, specification.data(), UINT32_MAX, problem.out()) == FALSE) {
        fbTemplateFreeUnused(declared);
        throw std::runtime_error("IPFIX template: " + problem.text());
      }
      if (fbSessionAddTemplate(session, is_internal ? TRUE : FALSE, number, declared, problem.out()) == 0)
        throw std::runtime_error("IPFIX template: " + problem.text());
    }
  }
};

IpfixMessages::IpfixMessages(std::uint32_t observation_domain, std::span<const IpfixTemplate> templates, Send send)
    : parts_(std::make_unique<Parts>()) {
  Parts& parts = *parts_;
  parts.send = std::move(send);
  parts.session = fbSessionAlloc(parts.model);
  fbSessionSetDomain(parts.session, observation_domain);
  for (std::size_t i = 0; i < templates.size(); ++i) parts.declare(templates[i], number_of(i));
  parts.exporter = fbExporterAllocBuffer(parts.message.data(), bytes_max);
  parts.buffer = fBufAllocForExport(parts.session, parts.exporter);
  fBufSetAutomaticMode(parts.buffer, FALSE);
}

IpfixMessages::~IpfixMessages() = default;

void IpfixMessages::add_templates() {
  flush();  // so that they all have room
  Problem problem;
  // In the other mode libfixbuf begins no message with templates that has not begun with records before.
  fBufSetAutomaticMode(parts_->buffer, TRUE);
  parts_->is_empty = fbSessionExportTemplates(parts_->session, problem.out()) == FALSE;
  fBufSetAutomaticMode(parts_->buffer, FALSE);
}

bool IpfixMessages::add_bytes(std::size_t index, const void* record, std::size_t bytes) {
  fBuf_t* buffer = parts_->buffer;
  Problem problem;
  const std::uint16_t number = number_of(index);
  if (fBufSetInternalTemplate(buffer, number, problem.out()) == FALSE ||
      fBufSetExportTemplate(buffer, number, problem.out()) == FALSE)
    return false;
  auto* at = const_cast<std::uint8_t*>(static_cast<const std::uint8_t*>(record));  // it is only read
  bool added = fBufAppend(buffer, at, bytes, problem.out()) != FALSE;
  if (!added && problem.is_full_message()) {
    flush();
    added = fBufAppend(buffer, at, bytes, problem.out()) != FALSE;
  }
  parts_->is_empty = parts_->is_empty && !added;
  return added;
}

void IpfixMessages::flush() {
  if (std::exchange(parts_->is_empty, true)) return;
  Problem problem;
  if (fBufEmit(parts_->buffer, problem.out()) == FALSE) return;
  const std::size_t length = fbExporterGetMsgLen(parts_->exporter);
  parts_->send({reinterpret_cast<const char*>(parts_->message.data()), length});
}

}  // namespace sallyport
