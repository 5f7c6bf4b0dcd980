#include "search_service/index_document.h"

#include <xapian.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "search_service/article_terms.h"
#include "search_service/label_pack.h"

namespace dateline::search {
namespace {

// A headline says twice what a line of the body says: over six judged collections better than three times.
constexpr int kTitleWeight = 2;

// Labels, language and what facets count.
void SetLabels(const Article& article, Xapian::Document& document) {
  const std::vector<Label> effective = EffectiveLabels(article);
  std::string pack;
  for (const Label& label : article.labels) {
    if (label.verdict != LabelVerdict::kApplied) continue;
    const bool counts = std::any_of(effective.begin(), effective.end(), [&](const Label& other) {
      return other.source == label.source && other.dimension == label.dimension && other.id == label.id;
    });
    const auto flags = static_cast<char>(static_cast<int>(label.source) | (counts ? kCounts : 0));
    AppendPacked(static_cast<char>(label.dimension), flags, PackScore(label.score), label.id, pack);
  }
  document.add_value(kLabelSlot, pack);
  for (const Label& label : effective) {
    document.add_boolean_term(absl::StrCat(kLabelPrefixes[static_cast<size_t>(label.dimension)], label.id));
  }

  std::string facets;
  const auto add = [&](Field field, absl::string_view value) {
    AppendPacked(static_cast<char>(field), 0, 0, value, facets);
  };
  add(Field::kSource, article.source);
  add(Field::kContentType, article.content_type);
  std::set<absl::string_view> authors(article.authors.begin(), article.authors.end());
  for (const absl::string_view author : authors) add(Field::kAuthor, author);
  if (!article.language_code.empty()) {
    const std::string language = absl::AsciiStrToLower(article.language_code);
    const std::string base = language.substr(0, language.find('-'));
    add(Field::kLanguage, base);
    document.add_boolean_term(TermFor({Field::kLanguage, ""}, base));
    document.add_boolean_term(TermFor({Field::kLanguage, ""}, language));
  }
  if (article.publish_time) {
    const std::string month = absl::FormatTime("%Y-%m", *article.publish_time, absl::UTCTimeZone());
    add(Field::kYear, month.substr(0, month.find('-')));
    add(Field::kMonth, month);
  }
  for (const auto& [name, values] : article.attributes) {
    const std::set<absl::string_view> unique(values.begin(), values.end());
    for (const absl::string_view value : unique) {
      std::string entry = name;
      entry.push_back('\0');
      absl::StrAppend(&entry, value);
      add(Field::kAttribute, entry);
    }
  }
  document.add_value(kFacetSlot, facets);
}

void AppendNumber(uint64_t number, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift & 0xFF));
}

uint64_t ReadNumber(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

constexpr size_t kNumberBytes = 8;

absl::Status Damaged(absl::string_view detail) {
  return absl::DataLossError(
      absl::StrCat("the index is damaged, and is rebuilt in the background; try again later: ", detail));
}

absl::Status StatusOf(const Xapian::Error& error) {
  const std::string text = error.get_description();
  // Xapian's classes have no virtual functions: their name is what tells them apart here.
  const absl::string_view type = error.get_type();
  if (type == "DatabaseModifiedError") {
    return common::Unavailable("the index kept changing during the search; try again", absl::Milliseconds(50));
  }
  if (type == "DatabaseLockError") {
    return absl::FailedPreconditionError(absl::StrCat("another process writes the index: ", text));
  }
  if (type == "DatabaseCorruptError" || type == "DatabaseVersionError") {
    return Damaged(text);
  }
  if (absl::StartsWith(type, "Database")) {
    return common::Unavailable(absl::StrCat("index: ", text, "; check the disk of the data folder"), absl::Seconds(5));
  }
  return absl::InternalError(absl::StrCat("index: ", text));
}

}  // namespace

std::string EncodeRowState(const RowState& state) {
  std::string value;
  AppendNumber(static_cast<uint64_t>(state.row), value);
  AppendNumber(state.seq, value);
  return value;
}

RowState DecodeRowState(absl::string_view value) {
  if (value.size() != 2 * kNumberBytes) return {};
  return {static_cast<int64_t>(ReadNumber(value.substr(0, kNumberBytes))), ReadNumber(value.substr(kNumberBytes))};
}

std::string SortableTime(absl::Time time) {
  return Xapian::sortable_serialise(static_cast<double>(absl::ToUnixSeconds(time)));
}

absl::Status CaughtIndexError() {
  try {
    throw;
  } catch (const Xapian::Error& error) {
    return StatusOf(error);
  } catch (const std::length_error& error) {
    // What Xapian took for a length in a damaged block.
    return Damaged(error.what());
  }
}

Xapian::Document MakeDocument(const RowState& state, const Article& article, TextAnalyzer& analyzer) {
  Xapian::Document document;
  document.add_value(kRowSlot, EncodeRowState(state));
  absl::flat_hash_map<std::string, uint32_t> stems;
  uint32_t offset = 1;
  const std::string language = article.language_code;

  const std::vector<Token> title = analyzer.Tokenize(article.title, language);
  for (const Token& token : title) {
    document.add_posting(token.word->folded, offset + token.position, kTitleWeight);
    document.add_posting(kTitlePrefix + token.word->folded, 1 + token.position);
    document.add_term(kTitleStemPrefix + token.word->stem);
    stems[token.word->stem] += kTitleWeight;
  }
  if (!title.empty()) document.add_boolean_term(TitleTerm(title));
  if (!title.empty()) offset += title.back().position + kFieldGap;
  const std::vector<Token> body = analyzer.Tokenize(article.body, language);
  for (const Token& token : body) {
    document.add_posting(token.word->folded, offset + token.position);
    ++stems[token.word->stem];
  }
  if (!body.empty()) offset += body.back().position + kFieldGap;
  uint32_t author_offset = 1;
  for (const std::string& author : article.authors) {
    const std::vector<Token> tokens = analyzer.Tokenize(author, language);
    for (const Token& token : tokens) {
      // Who types a name means the author as well as whom the text is about.
      document.add_posting(token.word->folded, offset + token.position);
      document.add_posting(kAuthorPrefix + token.word->folded, author_offset + token.position);
      ++stems[token.word->stem];
    }
    if (tokens.empty()) continue;
    offset += tokens.back().position + kFieldGap;
    author_offset += tokens.back().position + kFieldGap;
  }
  for (const Token& token : analyzer.Tokenize(article.source, language)) {
    document.add_posting(kSourcePrefix + token.word->folded, 1 + token.position);
  }
  for (const auto& [stem, count] : stems) document.add_term(kStemPrefix + stem, count);

  for (const std::string& term : CallersTerms(article)) document.add_boolean_term(term);
  if (article.publish_time) document.add_value(kPublishSlot, SortableTime(*article.publish_time));
  if (!article.duplicate_of.empty()) document.add_value(kDuplicateSlot, article.duplicate_of);
  if (article.update_time) document.add_value(kUpdateSlot, SortableTime(*article.update_time));
  if (article.visible_from) {
    document.add_boolean_term(kEmbargoTerm);
    document.add_value(kVisibleSlot, SortableTime(*article.visible_from));
  }
  SetLabels(article, document);
  return document;
}

}  // namespace dateline::search
