#include "config/import/yaml_document.h"

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/bounds.h"
#include "config/document/in_quotes.h"
#include "config/document/utf8.h"

namespace sallyport::config {
namespace {

using Kind = YamlNode::Kind;

// What all aliases of a file may expand to. People who write YAML by hand use a few; a bomb uses them for nothing else.
constexpr std::size_t most_alias_values = 100'000;

// Thrown and caught in this file only.
struct Refused {
  Location at;
  std::string why;
};

// Reads a text where it lies.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: streambuf has no other way to say so; nothing is put back
    setg(begin, begin, begin + text.size());
  }
};

struct Size {
  std::size_t nodes = 1;
  std::size_t depth = 1;
};

Size size_of(const YamlNode& node) {
  Size size;
  const auto add = [&](const YamlNode& part) {
    const Size inner = size_of(part);
    size.nodes += inner.nodes;
    size.depth = std::max(size.depth, inner.depth + 1);
  };
  for (const YamlNode& item : node.items) add(item);
  for (const YamlEntry& entry : node.entries) add(entry.value);
  return size;
}

// yaml-cpp's events into a tree. What is open is a stack: the documents themselves at its foot.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::uint32_t file) : file_(file) {}

  std::vector<YamlNode> take() { return std::move(documents_); }

  // yaml-cpp 0.7 does not step over a token that starts nothing, such as a stray comma: it makes empty documents of it
  // for ever.
  void OnDocumentStart(const YAML::Mark& mark) override {
    last_ = place(mark);
    if (mark.pos <= position_) throw Refused{last_, "not YAML: nothing can start here"};
    position_ = mark.pos;
    anchors_.clear();
    done_ = YamlNode{};
    done_.at = last_;
  }
  void OnDocumentEnd() override { documents_.push_back(std::move(done_)); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(node(mark, Kind::null), anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode scalar = node(mark, Kind::scalar);
    scalar.text = value;
    scalar.quoted = tag == "!";  // what yaml-cpp calls quoted and block scalars
    leaf(std::move(scalar), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) throw Refused{place(mark), "an alias inside of its own anchor"};
    const Size size = size_of(known->second);
    count_alias(size.nodes, place(mark));
    check_depth(open_.size() + size.depth, place(mark));
    add(YamlNode(known->second));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node(mark, Kind::sequence), anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node(mark, Kind::mapping), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  [[nodiscard]] Location last() const noexcept { return last_; }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<YamlNode> key;  // of a mapping: read, its value not yet
    std::unordered_set<std::string> keys;
  };

  [[nodiscard]] Location place(const YAML::Mark& mark) const noexcept {
    return {file_, static_cast<std::uint32_t>(std::max(mark.line, 0) + 1),
            static_cast<std::uint32_t>(std::max(mark.column, 0) + 1)};
  }

  YamlNode node(const YAML::Mark& mark, Kind kind) {
    YamlNode made;
    made.kind = kind;
    made.at = last_ = place(mark);
    count(1, last_);
    return made;
  }

  void count(std::size_t more, Location at) {
    nodes_ += more;
    if (nodes_ > bounds::yaml_nodes) throw Refused{at, fmt::format("more than {} values", bounds::yaml_nodes)};
  }

  void count_alias(std::size_t more, Location at) {
    alias_values_ += more;
    if (alias_values_ > most_alias_values) {
      throw Refused{at, fmt::format("anchors and aliases stand for more than {} values", most_alias_values)};
    }
  }

  static void check_depth(std::size_t depth, Location at) {
    if (depth > bounds::nesting) {
      throw Refused{at, fmt::format("more than {} values inside one another", bounds::nesting)};
    }
  }

  void leaf(YamlNode made, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_.emplace(anchor, made);
    add(std::move(made));
  }

  void open(YamlNode made, YAML::anchor_t anchor) {
    check_depth(open_.size() + 1, made.at);
    open_.push_back({std::move(made), anchor, std::nullopt, {}});
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.anchor != YAML::NullAnchor) {
      count_alias(size_of(closed.node).nodes, closed.node.at);
      anchors_.emplace(closed.anchor, closed.node);
    }
    add(std::move(closed.node));
  }

  void add(YamlNode made) {
    if (open_.empty()) {
      done_ = std::move(made);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Kind::sequence) {
      parent.node.items.push_back(std::move(made));
    } else if (!parent.key) {
      add_key(parent, std::move(made));
    } else {
      parent.node.entries.push_back({std::move(parent.key->text), parent.key->at, std::move(made)});
      parent.key.reset();
    }
  }

  static void add_key(Open& parent, YamlNode key) {
    if (key.kind != Kind::scalar) throw Refused{key.at, "a key is text"};
    if (!parent.keys.insert(key.text).second) {
      throw Refused{key.at, fmt::format("the key {} stands here twice", in_quotes(key.text))};
    }
    parent.key = std::move(key);
  }

  std::uint32_t file_;
  Location last_;
  int position_ = -1;  // in the text, of the last document's start
  std::size_t nodes_ = 0;
  std::size_t alias_values_ = 0;
  YamlNode done_;
  std::vector<YamlNode> documents_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
};

// yaml-cpp holds the tokens of a line until it knows whether the line is a key, so a line is what memory goes by.
void check_line(std::string_view line, Location at) {
  if (line.size() > bounds::yaml_line_bytes) {
    throw Refused{
        at, fmt::format("longer than {} bytes; kubectl get -o yaml writes shorter lines", bounds::yaml_line_bytes)};
  }
  while (!line.empty()) {
    const std::size_t length = line.front() == '\0' ? 0 : utf8_sequence(line);
    if (length == 0) throw Refused{at, "not UTF-8 text"};
    line.remove_prefix(length);
    ++at.column;
  }
}

void check_text(std::string_view text, std::uint32_t file) {
  std::uint32_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    check_line(text.substr(begin, end - begin), {file, line, 1});
    begin = end + 1;
  }
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const noexcept {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::optional<std::vector<YamlNode>> parse_yaml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics) {
  Builder builder(file);
  try {
    check_text(text, file);
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Refused& refused) {
    diagnostics.error(refused.at, "", refused.why);
  } catch (const YAML::Exception& e) {
    const bool placed = !e.mark.is_null();
    const Location at = placed ? Location{file, static_cast<std::uint32_t>(std::max(e.mark.line, 0) + 1),
                                          static_cast<std::uint32_t>(std::max(e.mark.column, 0) + 1)}
                               : builder.last();
    diagnostics.error(at, "", "not YAML: " + e.msg);
  }
  return std::nullopt;
}

std::string_view kind_of(const YamlNode& node) noexcept {
  switch (node.kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return "a single value";
    case Kind::sequence:
      return "a list";
    case Kind::mapping:
      return "a mapping";
  }
  return "";
}

}  // namespace sallyport::config
