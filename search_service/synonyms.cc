#include "search_service/synonyms.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/hash.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

class SynonymsParser {
 public:
  using Table = absl::flat_hash_map<std::string, std::vector<std::string>>;

  absl::StatusOr<Table> Parse(absl::string_view text) {
    if (text.size() > kMaxSynonymBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("is ", text.size(), " bytes long; at most ", kMaxSynonymBytes, " are read"));
    }
    absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_;
      if (!common::IsValidUtf8(line)) return Error("is not valid UTF-8; save the file as UTF-8");
      const absl::string_view groups = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
      if (groups.empty()) continue;
      if (++groups_ > kMaxSynonymGroups) return Error(absl::StrCat("is one group more than ", kMaxSynonymGroups));
      RETURN_IF_ERROR(AddGroup(groups));
    }
    return std::move(table_);
  }

 private:
  absl::Status Error(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", what));
  }

  absl::Status AddGroup(absl::string_view group) {
    const std::vector<absl::string_view> sides = absl::StrSplit(group, "=>");
    if (sides.size() > 2) return Error("has two =>; write a line for each");
    ASSIGN_OR_RETURN(const std::vector<Word> words, WordsOf(sides[0]));
    if (sides.size() == 1 && words.size() < 2) {
      return Error("has one word; write what is to be found for it behind a comma, or behind =>");
    }
    std::vector<Word> found = words;
    if (sides.size() == 2) {
      ASSIGN_OR_RETURN(found, WordsOf(sides[1]));
    }
    for (const Word& word : words) {
      for (const Word& synonym : found) {
        if (sides.size() == 2 && synonym.stem == word.stem) {
          return Error(absl::StrCat("\"", synonym.folded, "\" is on both sides of =>; leave it out on one"));
        }
        if (synonym.stem != word.stem) RETURN_IF_ERROR(Add(word, synonym));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Add(const Word& word, const Word& synonym) {
    if (!known_.emplace(word.stem, synonym.stem).second) return absl::OkStatus();
    std::vector<std::string>& synonyms = table_[word.stem];
    synonyms.push_back(synonym.folded);
    if (synonyms.size() <= kMaxSynonymsOfWord) return absl::OkStatus();
    return Error(absl::StrCat("gives \"", word.folded, "\" more than ", kMaxSynonymsOfWord,
                              " synonyms, with those of lines before; leave some out"));
  }

  // Of one side of a line.
  absl::StatusOr<std::vector<Word>> WordsOf(absl::string_view side) {
    std::vector<Word> words;
    for (absl::string_view part : absl::StrSplit(side, ',')) {
      part = absl::StripAsciiWhitespace(part);
      if (part.empty()) return Error("has no word beside a comma or =>; write one, or leave the sign out");
      const std::vector<Token> tokens = analyzer_.Tokenize(part, "");
      if (tokens.size() != 1 || tokens[0].single) {
        return Error(absl::StrCat("\"", part,
                                  "\" is not one word; write single words, of a script with spaces between "
                                  "them, with commas between"));
      }
      Word word = *tokens[0].word;
      if (IsStopWord(word.folded)) {
        return Error(absl::StrCat("\"", part,
                                  "\" is so common that it counts for nothing beside other words; leave it "
                                  "out"));
      }
      const auto same =
          std::find_if(words.begin(), words.end(), [&](const Word& other) { return other.stem == word.stem; });
      if (same != words.end()) {
        return Error(absl::StrCat("\"", part, "\" and \"", same->folded,
                                  "\" are forms of one word, which find each "
                                  "other anyway; leave one out"));
      }
      words.push_back(std::move(word));
    }
    if (words.size() > kMaxSynonymsOfWord) {
      return Error(
          absl::StrCat("has ", words.size(), " words; at most ", kMaxSynonymsOfWord, " stand for one another"));
    }
    return words;
  }

  TextAnalyzer analyzer_;
  size_t line_ = 0;
  size_t groups_ = 0;
  Table table_;
  absl::flat_hash_set<std::pair<std::string, std::string>> known_;  // Stems.
};

}  // namespace

absl::StatusOr<Synonyms> Synonyms::Parse(absl::string_view text) {
  Synonyms synonyms;
  ASSIGN_OR_RETURN(synonyms.by_stem_, SynonymsParser().Parse(text));
  synonyms.version_ = common::Hash128Hex(text);
  return synonyms;
}

absl::StatusOr<Synonyms> Synonyms::Load(const std::string& path) {
  std::error_code error;
  std::ifstream file;
  // Opening a pipe would wait for its writer.
  if (std::filesystem::is_regular_file(path, error)) file.open(path, std::ios::binary);
  std::string text(kMaxSynonymBytes + 1, '\0');
  if (file.is_open()) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return absl::NotFoundError(absl::StrCat(path, " cannot be read; check the path and who may read it"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  absl::StatusOr<Synonyms> synonyms = Parse(text);
  if (synonyms.ok()) return synonyms;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", synonyms.status().message()));
}

const std::vector<std::string>& Synonyms::Of(absl::string_view stem) const {
  static const std::vector<std::string>& none = *new std::vector<std::string>();
  const auto found = by_stem_.find(stem);
  return found == by_stem_.end() ? none : found->second;
}

}  // namespace dateline::search
