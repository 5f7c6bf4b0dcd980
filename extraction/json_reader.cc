#include "extraction/json_reader.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/records.h"

namespace dateline::extraction {
namespace {

using Json = nlohmann::json;

constexpr size_t kReadBytes = 65'536;
constexpr size_t kMaxKeyBytes = 1000;
constexpr int kMaxWrappers = 8;  // Objects around the list.

// What APIs and exports call the list of their articles.
constexpr std::array<absl::string_view, 12> kListNames = {"items",   "articles", "entries", "posts",
                                                          "results", "data",     "docs",    "documents",
                                                          "records", "stories",  "news",    "pages"};

class JsonLinesReader final : public SourceReader {
 public:
  JsonLinesReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kJsonLines),
        input_(std::move(input)),
        limit_(options.max_item_bytes),
        now_(now),
        mapper_(options) {}

  std::optional<SourceItem> Next() override {
    while (!done_) {
      SourceItem item = ItemAt("line", ++line_);
      absl::StatusOr<std::optional<std::string>> line = input_.ReadLine(limit_);
      if (!line.ok()) {
        done_ = true;
        item.extraction = line.status();
        item.cuts_off = true;
        return item;
      }
      if (!line->has_value()) {
        done_ = true;
        return std::nullopt;
      }
      absl::string_view text = **line;
      absl::ConsumeSuffix(&text, "\n");
      if (line_ == 1) {
        absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
      }
      if (text.size() > limit_) {
        item.extraction = common::WithReason(
            absl::InvalidArgumentError(absl::StrCat("is longer than ", limit_, " bytes")), kDocumentTooLarge);
        return item;
      }
      text = absl::StripAsciiWhitespace(text);
      if (text.empty()) {
        continue;
      }
      mapper_.ReadJson(text, now_, &item);
      return item;
    }
    return std::nullopt;
  }

 private:
  Input input_;
  const size_t limit_;
  const absl::Time now_;
  const RecordMapper mapper_;
  int64_t line_ = 0;
  bool done_ = false;
};

// Pieces of a JSON document in order, without holding more than one of them. Of the values only their extent is looked
// at: whether they are well-formed is found when they are parsed.
class JsonScanner {
 public:
  explicit JsonScanner(Input input) : input_(std::move(input)) {}

  // The next character that is no white space, not consumed; '\0' at the end.
  absl::StatusOr<char> Peek() {
    while (true) {
      RETURN_IF_ERROR(input_.Fill(1));
      const absl::string_view bytes = input_.buffered();
      if (bytes.empty()) {
        return '\0';
      }
      const size_t blank = bytes.find_first_not_of(" \t\r\n");
      Pass(std::min(blank, bytes.size()));
      if (blank != absl::string_view::npos) {
        return input_.buffered()[0];
      }
    }
  }

  // Consumes the character that Peek gives.
  void Take() { Pass(1); }

  // The text of the value that begins at the character that Peek gives, without what is beyond `limit` + 1 bytes of it.
  // OutOfRange if the document ends within it.
  absl::StatusOr<std::string> TakeValue(size_t limit) {
    std::string value;
    size_t depth = 0;
    bool in_string = false;
    bool escaped = false;
    bool scalar = false;
    while (true) {
      RETURN_IF_ERROR(input_.Fill(1));
      const absl::string_view bytes = input_.buffered().substr(0, kReadBytes);
      if (bytes.empty()) {
        return scalar ? absl::StatusOr<std::string>(std::move(value)) : absl::OutOfRangeError("breaks off");
      }
      size_t i = 0;
      bool ended = false;
      for (; i < bytes.size() && !ended; ++i) {
        const char c = bytes[i];
        if (in_string) {
          in_string = escaped || c != '"';
          escaped = !escaped && c == '\\';
          ended = !in_string && depth == 0;
        } else if (scalar) {
          if (c == ',' || c == '}' || c == ']' || absl::ascii_isspace(static_cast<unsigned char>(c))) {
            ended = true;
            --i;
          }
        } else if (c == '"') {
          in_string = true;
        } else if (c == '{' || c == '[') {
          ++depth;
        } else if (c == '}' || c == ']') {
          // One too many is left to whoever parses the value.
          depth -= depth > 0 ? 1 : 0;
          ended = depth == 0;
        } else if (depth == 0) {
          scalar = true;
        }
      }
      const size_t room = value.size() > limit ? 0 : limit + 1 - value.size();
      value.append(bytes.data(), std::min(i, room));
      Pass(i);
      if (ended) {
        return value;
      }
    }
  }

  int64_t line() const { return line_; }

 private:
  void Pass(size_t count) {
    const absl::string_view bytes = input_.buffered().substr(0, count);
    line_ += std::count(bytes.begin(), bytes.end(), '\n');
    input_.Consume(count);
  }

  Input input_;
  int64_t line_ = 1;
};

class JsonReader final : public SourceReader {
 public:
  JsonReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kJson),
        scanner_(Input(ReadAsUtf8(std::move(input), options.charset))),
        options_(options),
        now_(now),
        mapper_(options) {
    for (const FieldMapping& mapping : options.field_map) {
      if (mapping.field == kItemsField) {
        items_path_ = mapping.path;
      }
    }
  }

  std::optional<SourceItem> Next() override {
    if (done_) {
      return std::nullopt;
    }
    absl::StatusOr<std::optional<std::string>> text = NextRecord();
    if (!text.ok()) {
      done_ = true;
      SourceItem item = Failed(Located(text.status()));
      item.cuts_off = true;
      return item;
    }
    if (!text->has_value()) {
      done_ = true;
      if (number_ > 0) {
        return std::nullopt;
      }
      return Failed(common::WithReason(common::InvalidField("content", "is JSON without articles"), kNotAnArticle));
    }
    ++number_;
    return ReadRecord(**text);
  }

 private:
  SourceItem Failed(absl::Status status) const { return ItemAt("entry", number_ + 1, std::move(status)); }

  absl::Status Located(const absl::Status& status) const {
    if (!absl::IsOutOfRange(status)) {
      return status;
    }
    return common::WithReason(
        common::InvalidField("content", absl::StrCat("is JSON that ", status.message(), " at line ", scanner_.line())),
        kMalformedFeed);
  }

  // The next object of the list, or the document itself if it is one article; nullopt at the end.
  absl::StatusOr<std::optional<std::string>> NextRecord() {
    if (!std::exchange(begun_, true)) {
      ASSIGN_OR_RETURN(const char first, scanner_.Peek());
      if (first == '{') {
        scanner_.Take();
        ASSIGN_OR_RETURN(const bool found, FindList("", 0));
        if (!found) {
          return WholeDocument();
        }
        in_object_ = true;
      } else if (first == '[') {
        scanner_.Take();
      } else {
        return absl::OutOfRangeError("has neither an object nor a list");
      }
      in_list_ = true;
    }
    if (!in_list_) {
      return std::optional<std::string>();
    }
    ASSIGN_OR_RETURN(char next, scanner_.Peek());
    if (next == ',' && number_ > 0) {
      scanner_.Take();
      ASSIGN_OR_RETURN(next, scanner_.Peek());
    }
    if (next == ']') {
      scanner_.Take();
      RETURN_IF_ERROR(LookBehindList());
      in_list_ = false;
      return std::optional<std::string>();
    }
    if (next == '\0') {
      return absl::OutOfRangeError("breaks off");
    }
    if (next == ',' || next == ':' || next == '}') {
      return absl::OutOfRangeError("is not well-formed");
    }
    ASSIGN_OR_RETURN(std::string text, scanner_.TakeValue(options_.max_item_bytes));
    return std::optional<std::string>(std::move(text));
  }

  // Passes over the members of an object, whose brace is taken, up to the beginning of the list of articles. What the
  // members of the outermost one say is kept. False if the object ends before.
  absl::StatusOr<bool> FindList(const std::string& path, int depth) {
    while (true) {
      ASSIGN_OR_RETURN(char next, scanner_.Peek());
      if (next == ',') {
        scanner_.Take();
        ASSIGN_OR_RETURN(next, scanner_.Peek());
      }
      if (next == '}') {
        scanner_.Take();
        return false;
      }
      if (next != '"') {
        return absl::OutOfRangeError(next == '\0' ? "breaks off" : "is not well-formed");
      }
      ASSIGN_OR_RETURN(const std::string quoted, scanner_.TakeValue(kMaxKeyBytes));
      ASSIGN_OR_RETURN(next, scanner_.Peek());
      if (next != ':') {
        return absl::OutOfRangeError("is not well-formed");
      }
      scanner_.Take();
      const Json key = Json::parse(quoted, nullptr, /*allow_exceptions=*/false);
      const std::string name = key.is_string() ? key.get<std::string>() : "";
      const std::string here = path.empty() ? name : absl::StrCat(path, ".", name);
      ASSIGN_OR_RETURN(next, scanner_.Peek());
      const bool wanted = items_path_.empty()
                              ? std::find(kListNames.begin(), kListNames.end(), name) != kListNames.end()
                              : here == items_path_;
      if (next == '[' && wanted) {
        scanner_.Take();
        list_path_ = here;
        return true;
      }
      if (next == '{' && depth < kMaxWrappers && absl::StartsWith(items_path_, here + ".")) {
        scanner_.Take();
        ASSIGN_OR_RETURN(const bool found, FindList(here, depth + 1));
        if (found) {
          return true;
        }
        continue;
      }
      ASSIGN_OR_RETURN(const std::string value, scanner_.TakeValue(in_list_ ? 0 : options_.max_item_bytes));
      if (depth == 0 && !in_list_) {
        absl::StrAppend(&header_, header_.empty() ? "" : ",", quoted, ":", value);
        if (header_.size() > options_.max_item_bytes) {
          return common::WithReason(
              common::InvalidField("content", absl::StrCat("has more than ", options_.max_item_bytes, " bytes")),
              kDocumentTooLarge);
        }
      }
    }
  }

  // Another list in the same object may hold articles as well: which of them is meant is not for a reader to say.
  absl::Status LookBehindList() {
    if (!in_object_ || !items_path_.empty()) {
      return absl::OkStatus();
    }
    const std::string read = list_path_;
    while (true) {
      ASSIGN_OR_RETURN(const bool found, FindList("", 0));
      if (!found) {
        return absl::OkStatus();
      }
      ASSIGN_OR_RETURN(char next, scanner_.Peek());
      if (next == '{') {
        AddNote(absl::StrCat("has another list of objects, ", list_path_, ", beside ", read,
                             ", which was read; --map items=", list_path_, " reads that one"));
        return absl::OkStatus();
      }
      while (next != ']') {
        if (next == '\0' || next == '}' || next == ':') {
          return absl::OutOfRangeError(next == '\0' ? "breaks off" : "is not well-formed");
        }
        if (next == ',') {
          scanner_.Take();
        } else {
          RETURN_IF_ERROR(scanner_.TakeValue(0).status());
        }
        ASSIGN_OR_RETURN(next, scanner_.Peek());
      }
      scanner_.Take();
    }
  }

  absl::StatusOr<std::optional<std::string>> WholeDocument() const {
    if (!items_path_.empty()) {
      return common::WithReason(
          common::InvalidField("map", absl::StrCat("items=", items_path_, ": the document has no list there")),
          kMalformedFeed);
    }
    return std::optional<std::string>(absl::StrCat("{", header_, "}"));
  }

  SourceItem ReadRecord(const std::string& text) {
    SourceItem item = ItemAt("entry", number_);
    if (text.size() > options_.max_item_bytes) {
      item.extraction = common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("is longer than ", options_.max_item_bytes, " bytes")),
          kDocumentTooLarge);
      return item;
    }
    mapper_.ReadJson(text, now_, &item);
    if (in_list_ && item.extraction.ok()) {
      AddWhatTheFeedSays(&item.extraction->article);
      item.latest_only = !feed_->empty();
    }
    return item;
  }

  // Title, language and authors of a JSON Feed are those of its items, too, and its ids are URLs more often than not.
  void AddWhatTheFeedSays(Article* article) {
    if (!feed_) {
      feed_ = Json::parse(absl::StrCat("{", header_, "}"), nullptr, /*allow_exceptions=*/false);
      const bool is_feed =
          feed_->is_object() && feed_->contains("version") && (*feed_)["version"].is_string() &&
          absl::StrContains((*feed_)["version"].get_ref<const std::string&>(), "jsonfeed.org/version/");
      if (!is_feed) {
        feed_ = Json::object();
      }
    }
    if (feed_->empty()) {
      return;
    }
    const auto text = [](const Json& object, const char* name) {
      return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                                     : std::string();
    };
    if (article->source.empty()) {
      article->source = common::NormalizeLine(text(*feed_, "title"));
    }
    if (article->language_code.empty()) {
      article->language_code = text(*feed_, "language");
    }
    if (article->authors.empty() && feed_->contains("authors") && (*feed_)["authors"].is_array()) {
      for (const Json& author : (*feed_)["authors"]) {
        if (std::string name = text(author, "name"); !name.empty() && article->authors.size() < 20) {
          article->authors.push_back(std::move(name));
        }
      }
    }
    if (!article->url.empty() || !IsUsableId(article->id)) {
      article->id.clear();  // With a URL the id follows from that, as for the page itself.
    } else {
      const std::string address = text(*feed_, "feed_url");
      article->id = WorldwideId(article->id, !address.empty()       ? address
                                             : options_.url.empty() ? text(*feed_, "home_page_url")
                                                                    : options_.url);
    }
  }

  JsonScanner scanner_;
  const SourceOptions options_;
  const absl::Time now_;
  const RecordMapper mapper_;
  std::string items_path_;
  std::string list_path_;  // Of the list that was found last.
  std::string header_;     // Members of the outermost object, as they stand.
  std::optional<Json> feed_;
  int64_t number_ = 0;
  bool begun_ = false;
  bool in_list_ = false;
  bool in_object_ = false;  // The list is a member of one.
  bool done_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> MakeJsonLinesReader(Input input, const SourceOptions& options, absl::Time now) {
  return std::make_unique<JsonLinesReader>(std::move(input), options, now);
}

std::unique_ptr<SourceReader> MakeJsonReader(Input input, const SourceOptions& options, absl::Time now) {
  return std::make_unique<JsonReader>(std::move(input), options, now);
}

}  // namespace dateline::extraction
