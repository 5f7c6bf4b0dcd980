// One article from one record: a JSON object, or a row of a table as one. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_RECORDS_H_
#define DATELINE_EXTRACTION_RECORDS_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "extraction/extraction.h"
#include "extraction/source_reader.h"

namespace dateline::extraction {

// Where the list of articles lies in a JSON document: a mapping's `field` that is no field of an article.
inline constexpr char kItemsField[] = "items";

// True for what may be an article's id by the contracts, and says something.
bool IsUsableId(absl::string_view id);

// A feed's own id of an entry, as one that means nothing else elsewhere: itself if it is a URI, else below the host of
// `feed_url`, where there is one.
std::string WorldwideId(absl::string_view id, absl::string_view feed_url);

// Immutable but for the options' `mappings_used`.
class RecordMapper {
 public:
  enum class Origin { kJson, kTable };  // Where cells and lists hold several values.

  explicit RecordMapper(const SourceOptions& options, Origin origin = Origin::kJson);

  // Names of the record's own fields that are looked at: what has another name may be dropped unread.
  bool Reads(absl::string_view name) const { return names_.count(std::string(name)) > 0; }
  // The first mapping that none of `columns`, names of a table's columns, is meant by, nor by another mapping of its
  // field; null if there is none.
  const FieldMapping* FindUnmet(const std::vector<std::string>& columns) const;
  // The name that is looked for, of those that differ from `name` by case and blanks only; else `name`.
  std::string ColumnName(absl::string_view name) const;

  // Fields: those of MappableFields(), under the names that the field map gives them or their own. Others are ignored
  // and take no memory; a body that holds tags of HTML is read as that. The item's extraction is InvalidArgument and
  // names the field that is wrong, or the byte (from 1) where the JSON is malformed and what would be right in its
  // format. A record without text links to the page that it gives the URL of; with a summary alone, that is the text
  // for want of a better one.
  void ReadJson(absl::string_view json, absl::Time now, SourceItem* item) const;
  // `seen`: names of fields that the record has, for messages.
  void Read(const nlohmann::json& record, const std::vector<std::string>& seen, absl::Time now, SourceItem* item) const;

 private:
  struct Field {
    std::string name;                // As in MappableFields().
    std::vector<std::string> paths;  // Where it is looked for, the first first.
  };

  absl::StatusOr<SourceItem> ParseJson(absl::string_view json, Format format, absl::Time now) const;
  absl::StatusOr<SourceItem> Map(const nlohmann::json& record, const std::vector<std::string>& seen,
                                 absl::Time now) const;
  const std::vector<std::string>& PathsOf(absl::string_view field) const;
  void NoteUse(const nlohmann::json& record) const;

  const Origin origin_;
  const std::vector<FieldMapping> field_map_;
  const std::shared_ptr<std::vector<bool>> used_;
  std::vector<Field> fields_;
  std::vector<std::pair<std::string, std::string>> labels_;      // Kinds of labels and where they are.
  std::vector<std::pair<std::string, std::string>> attributes_;  // Names of attributes and where they are.
  std::set<std::string> names_;
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_RECORDS_H_
