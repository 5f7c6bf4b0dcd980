#include "extraction/table_reader.h"

#include <csv.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
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
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/records.h"

namespace dateline::extraction {
namespace {

constexpr size_t kReadBytes = 8192;
constexpr size_t kHeaderWindow = 65'536;  // Where the divider is looked for.
constexpr size_t kGrowBytes = 65'536;     // By which the parser's buffer for one cell grows.
constexpr size_t kMaxColumns = 1000;
// States of libcsv's parser (FIELD_BEGUN, FIELD_MIGHT_HAVE_ENDED), which its header has no names for.
constexpr int kWithinField = 2;
constexpr int kBehindQuote = 3;
constexpr size_t kMaxSeen = 13;  // Names of columns in a message.

// What divides the cells of the first line: what it has most of, outside of quotes.
char FindDivider(absl::string_view path, absl::string_view text) {
  if (absl::EndsWithIgnoreCase(path, ".tsv") || absl::EndsWithIgnoreCase(path, ".tab")) {
    return '\t';
  }
  constexpr absl::string_view kDividers = ",;\t|";
  std::array<size_t, 4> counts{};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '\n' || c == '\r')) {
      break;
    } else if (const size_t which = kDividers.find(c); !quoted && which != absl::string_view::npos) {
      ++counts[which];
    }
  }
  return kDividers[static_cast<size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

struct Row {
  std::vector<std::string> cells;  // The first kMaxColumns.
  size_t cell_count = 0;
  bool too_long = false;    // It has more bytes than it may have; its cells are gone.
  bool many_lines = false;  // One that is too long goes on over the ends of lines.
};

// The divider that a first line such as "sep=;" names, as Excel writes it, and that line's length; 0 if there is none.
std::pair<char, size_t> NamedDivider(absl::string_view text) {
  const absl::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
  absl::string_view rest = absl::StripTrailingAsciiWhitespace(line);
  if (line.empty() || line.size() == text.size()) {
    return {'\0', 0};
  }
  if (line.size() >= 5 && absl::StartsWithIgnoreCase(line, "sep=\t")) {
    rest = line.substr(0, 5);  // The tab is no white space here.
  }
  const bool names_one = rest.size() == 5 && absl::StartsWithIgnoreCase(rest, "sep=") && rest[4] != '"';
  return {names_one ? rest[4] : '\0', names_one ? line.size() + 1 : 0};
}

// Spreadsheets write a row of dividers for each that was ever touched.
bool IsBlank(const Row& row) {
  return std::all_of(row.cells.begin(), row.cells.end(),
                     [](const std::string& cell) { return absl::StripAsciiWhitespace(cell).empty(); });
}

class TableReader final : public SourceReader {
 public:
  TableReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kCsv),
        input_(ReadAsUtf8(std::move(input), options.charset)),
        path_(options.path),
        limit_(options.max_item_bytes),
        now_(now),
        mapper_(options, RecordMapper::Origin::kTable) {
    csv_init(&parser_, 0);
    csv_set_blk_size(&parser_, kGrowBytes);
  }
  ~TableReader() override { csv_free(&parser_); }
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  std::optional<SourceItem> Next() override {
    if (done_) {
      return std::nullopt;
    }
    absl::StatusOr<std::optional<Row>> row = NextRow();
    if (row.ok() && row->has_value() && columns_.empty()) {
      if (absl::Status header = (*row)->too_long ? TooLong(**row) : ReadHeader(**row); !header.ok()) {
        row = header;
      } else {
        row = NextRow();
      }
    }
    if (!row.ok()) {
      done_ = true;
      SourceItem item = Item(row.status());
      item.cuts_off = true;
      return item;
    }
    if (!row->has_value()) {
      done_ = true;
      if (any_row_) {
        return std::nullopt;
      }
      return Item(common::WithReason(
          common::InvalidField("content", "is a table without rows below its first, which names the columns"),
          kNotAnArticle));
    }
    if ((*row)->too_long) {
      any_row_ = true;
      SourceItem item = Item(TooLong(**row));
      item.cuts_off = (*row)->many_lines;
      return item;
    }
    any_row_ = true;
    SourceItem item = ReadRow(**row);
    TellOfUnreadText(**row, &item);
    return item;
  }

 private:
  absl::Status TooLong(const Row& row) const {
    return common::WithReason(
        absl::InvalidArgumentError(absl::StrCat("has more than ", limit_, " bytes",
                                                row.many_lines ? "; is there a quote that is not closed?" : "")),
        kDocumentTooLarge);
  }

  // Once, where rows have no text: a column that may hold it.
  void TellOfUnreadText(const Row& row, SourceItem* item) {
    constexpr size_t kMinBytes = 200;
    if (told_ || !item->extraction.ok() || !item->extraction->article.body.empty()) {
      return;
    }
    for (size_t i = 0; i < std::min(row.cells.size(), columns_.size()); ++i) {
      if (row.cells[i].size() >= kMinBytes && !mapper_.Reads(columns_[i])) {
        const std::string name = common::NormalizeLine(columns_[i].substr(0, common::CodePointFloor(columns_[i], 40)));
        const bool html = absl::StrContains(row.cells[i], "</") || absl::StrContains(row.cells[i], "<br");
        item->extraction->warnings.push_back(absl::StrCat(
            "body: column \"", name, "\" is not read and may hold it: --map ", html ? "body_html=" : "body=", name));
        told_ = true;
        return;
      }
    }
  }

  SourceItem Item(absl::StatusOr<Extraction> extraction) const {
    return ItemAt("row", std::max<int64_t>(number_, 1), std::move(extraction));
  }

  // Rows are numbered as spreadsheets do, the one with the names being the first. Blank lines are no rows; those whose
  // cells are all blank count, and are passed over.
  absl::StatusOr<std::optional<Row>> NextRow() {
    while (true) {
      while (rows_.empty() && !ended_) {
        RETURN_IF_ERROR(ParseMore());
      }
      if (rows_.empty()) {
        number_ += failure_.ok() ? 0 : 1;
        return failure_.ok() ? absl::StatusOr<std::optional<Row>>(std::optional<Row>()) : failure_;
      }
      ++number_;
      Row row = std::move(rows_.front());
      rows_.pop_front();
      if (row.too_long || !IsBlank(row)) {
        return std::optional<Row>(std::move(row));
      }
    }
  }

  absl::Status ParseMore() {
    if (!std::exchange(begun_, true)) {
      RETURN_IF_ERROR(input_.Fill(kHeaderWindow));
      const auto [divider, length] = NamedDivider(input_.buffered());
      csv_set_delim(&parser_, static_cast<unsigned char>(length > 0 ? divider : FindDivider(path_, input_.buffered())));
      input_.Consume(length);
      number_ += length > 0 ? 1 : 0;
    }
    std::array<char, kReadBytes> piece{};
    ASSIGN_OR_RETURN(const size_t got, input_.Read(piece.data(), piece.size()));
    const auto fail = [this](absl::string_view reason, absl::string_view what) {
      failure_ = common::WithReason(absl::InvalidArgumentError(what), reason);
      ended_ = true;
    };
    if (got == 0) {
      if (parser_.quoted != 0 && parser_.pstate == kWithinField) {
        constexpr absl::string_view kOpenQuote = "opens a quote that is not closed before the end";
        if (open_.too_long) {
          fail(kDocumentTooLarge, absl::StrCat("has more than ", limit_, " bytes and ", kOpenQuote));
        } else {
          fail(kMalformedLine, kOpenQuote);
        }
        return absl::OkStatus();
      }
      ended_ = true;
      csv_fini(&parser_, &TableReader::OnCell, &TableReader::OnRow, this);
      return absl::OkStatus();
    }
    if (csv_parse(&parser_, piece.data(), got, &TableReader::OnCell, &TableReader::OnRow, this) != got) {
      return absl::ResourceExhaustedError(csv_strerror(csv_error(&parser_)));
    }
    open_.too_long = open_.too_long || open_bytes_ + parser_.entry_pos > limit_;
    if (open_.too_long) {
      DropOpenRow();
    }
    return absl::OkStatus();
  }

  // Of a row that is too long nothing is held but where it ends. What the parser has of its open cell goes, but for a
  // quote, which it may have to take back.
  void DropOpenRow() {
    for (const std::string& cell : open_.cells) {
      open_.many_lines = open_.many_lines || absl::StrContains(cell, '\n');
    }
    open_.cells.clear();
    if (parser_.pstate >= kWithinField && parser_.entry_pos > 0) {
      const absl::string_view cell(reinterpret_cast<const char*>(parser_.entry_buf), parser_.entry_pos);
      open_.many_lines = open_.many_lines || absl::StrContains(cell, '\n');
      parser_.entry_pos = parser_.pstate == kBehindQuote ? 1 : 0;
      parser_.spaces = 0;
    }
  }

  static void OnCell(void* text, size_t size, void* reader) {
    auto* const self = static_cast<TableReader*>(reader);
    Row& row = self->open_;
    ++row.cell_count;
    self->open_bytes_ += size;
    const absl::string_view cell(static_cast<const char*>(text), text == nullptr ? 0 : size);
    row.too_long = row.too_long || self->open_bytes_ > self->limit_;
    if (row.too_long) {
      row.many_lines = row.many_lines || absl::StrContains(cell, '\n');
    } else if (row.cells.size() < kMaxColumns) {
      row.cells.emplace_back(cell);
    }
  }

  static void OnRow(int /*end*/, void* reader) {
    auto* const self = static_cast<TableReader*>(reader);
    self->rows_.push_back(std::exchange(self->open_, Row()));
    self->open_bytes_ = 0;
  }

  absl::Status ReadHeader(const Row& row) {
    for (const std::string& cell : row.cells) {
      columns_.push_back(mapper_.ColumnName(absl::StripAsciiWhitespace(cell)));
    }
    const FieldMapping* const unmet = mapper_.FindUnmet(columns_);
    if (unmet == nullptr && std::any_of(columns_.begin(), columns_.end(),
                                        [this](const std::string& name) { return mapper_.Reads(name); })) {
      return absl::OkStatus();
    }
    std::string names;
    for (size_t i = 0; i < std::min(columns_.size(), kMaxSeen); ++i) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", columns_[i].substr(0, 40));
    }
    names = common::NormalizeLine(names);
    if (unmet != nullptr) {
      return common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("names no column \"", unmet->path, "\", as --map ", unmet->field, "=",
                                                  unmet->path, " has it; it names ", names)),
          kMalformedLine);
    }
    return common::WithReason(absl::InvalidArgumentError(absl::StrCat("names no column that is known; it has ", names,
                                                                      ": map them, as in --map title=… --map body=…")),
                              kMalformedLine);
  }

  SourceItem ReadRow(const Row& row) const {
    nlohmann::json record = nlohmann::json::object();
    for (size_t i = 0; i < std::min(row.cells.size(), columns_.size()); ++i) {
      if (row.cells[i].empty() || !mapper_.Reads(columns_[i])) {
        continue;
      }
      nlohmann::json& cell = record[columns_[i]];
      if (cell.is_null()) {
        cell = row.cells[i];  // Of columns of the same name the first that says something counts.
      }
    }
    SourceItem item = Item(absl::UnknownError("not read"));
    mapper_.Read(record,
                 std::vector<std::string>(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                                   columns_.size(), kMaxSeen))),
                 now_, &item);
    if (item.extraction.ok() && row.cell_count > columns_.size()) {
      item.extraction->warnings.push_back(absl::StrCat("the row has ", row.cell_count, " cells where ", columns_.size(),
                                                       " are named; those beyond were dropped"));
    }
    return item;
  }

  Input input_;
  const std::string path_;
  const size_t limit_;
  const absl::Time now_;
  const RecordMapper mapper_;
  csv_parser parser_{};
  std::vector<std::string> columns_;
  std::deque<Row> rows_;  // Read, and not yet given.
  Row open_;
  size_t open_bytes_ = 0;  // Of the cells of the open row.
  absl::Status failure_;   // What comes after `rows_`.
  int64_t number_ = 0;
  bool any_row_ = false;  // Below the names.
  bool told_ = false;
  bool begun_ = false;
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> MakeTableReader(Input input, const SourceOptions& options, absl::Time now) {
  return std::make_unique<TableReader>(std::move(input), options, now);
}

}  // namespace dateline::extraction
