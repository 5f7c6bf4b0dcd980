// A thousand random queries and filters against an oracle that knows the articles as plain data and goes through all of
// them: which ones match, in which order they may come, on which pages, and what every facet counts. Of the search
// it shares the tokenizer alone.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine.h"
#include "search_service/engine_test_util.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

constexpr int kArticles = 400;
constexpr int kQueries = 1'000;
constexpr int64_t kFirstDay = 1'640'995'200;  // 2022-01-01.
constexpr int64_t kDay = 86'400;
constexpr int64_t kDays = 1'300;

// A word where it stands.
struct PlainWord {
  std::string folded;
  std::string stem;
  int64_t position = 0;
};
// Words among which phrases and NEAR hold: a title, a body, one author's name, a source's.
using Passage = std::vector<PlainWord>;

// An article as the oracle sees it.
struct Plain {
  Article article;
  Passage title, body, source;
  std::vector<Passage> authors;
};

// Whether an article has what is asked for, and how that is written.
struct Condition {
  std::string text;
  std::function<bool(const Plain&)> holds;
};

class OracleTest : public ::testing::Test {
 protected:
  OracleTest() {
    Engine::Options options;
    options.data_dir = dir_.path();
    engine_ = Engine::Open(options, std::make_shared<FakeLabeler>()).value();
  }

  size_t Below(size_t count) { return random_() % count; }
  bool OneIn(size_t count) { return Below(count) == 0; }
  template <typename T>
  const T& Any(const std::vector<T>& of) {
    return of[Below(of.size())];
  }
  std::string AnyWord() { return Any(vocabulary_); }
  std::string AnyDate() {
    const absl::Time time = absl::FromUnixSeconds(kFirstDay + static_cast<int64_t>(Below(kDays)) * kDay);
    return absl::FormatTime(OneIn(3) ? "%Y-%m" : "%Y-%m-%d", time, absl::UTCTimeZone());
  }

  void MakeArticles();
  Article MakeOne(int i);
  Passage ReadPassage(absl::string_view text, const std::string& language) {
    Passage passage;
    for (const Token& token : analyzer_.Tokenize(text, language)) {
      passage.push_back({token.word->folded, token.word->stem, token.position});
    }
    return passage;
  }

  // What counts of an article's labels.
  static std::set<std::string> LabelsOf(const Article& article, Dimension dimension, const LabelOptions& options);
  std::set<std::string> ValuesOf(const Article& article, const std::string& field, const LabelOptions& options) const;
  static bool Has(const std::set<std::string>& values, const std::string& value) { return values.contains(value); }

  Condition TextLeaf();
  Condition WordIn(const std::string& scope, const std::string& word);
  Condition PhraseIn(const std::string& scope, const std::vector<std::string>& words);
  Condition NearIn(const std::string& scope, const std::vector<std::string>& words, int distance);
  Condition FieldLeaf(bool filter, const LabelOptions& options, bool expand_groups);
  Condition Tree(int depth, bool filter, const LabelOptions& options, bool expand_groups);
  static std::vector<const Passage*> PassagesOf(const Plain& plain, const std::string& scope);
  bool HasValue(const Plain& plain, const std::string& field, const std::string& value, const LabelOptions& options,
                bool expand_groups) const;

  void CheckFacet(const FacetRequest& request, const Facet& facet, const std::map<std::string, int64_t>& counts,
                  const std::set<std::string>& selected) const;

  TempDir dir_;
  std::unique_ptr<Engine> engine_;
  TextAnalyzer analyzer_;
  std::mt19937 random_{20'260'731};
  std::vector<Plain> plains_;
  const std::vector<std::string> vocabulary_ = {"iran",     "russia",   "emirates",  "oil",       "wheat",
                                                "treaty",   "harbour",  "summits",   "exporting", "exports",
                                                "exported", "sanction", "sanctions", "talks"};
  const std::vector<std::string> fields_ = {"region_code",   "group_id",     "issue_id", "source", "author",
                                            "language_code", "content_type", "year",     "month",  "attributes.series"};
  const std::map<std::string, std::vector<std::string>> values_ = {
      {"region_code", {"IR", "RU", "AE"}},
      {"group_id", {"gcc"}},
      {"issue_id", {"energy", "geopolitics"}},
      {"source", {"Source 0", "Source 1", "Harbour Post", "None Such"}},
      {"author", {"Jane Roe", "John Doe", "Iran Watch"}},
      {"language_code", {"en", "pt", "pt-BR"}},
      {"content_type", {"news", "opinion"}},
      {"year", {"2022", "2023", "2024", "2025"}},
      {"month", {"2022-03", "2023-07", "2024-11"}},
      {"attributes.series", {"s0", "s1", "s2"}}};
};

Article OracleTest::MakeOne(int i) {
  Article article = MakeArticle(absl::StrCat("a", i), "", "");
  const auto words = [&](size_t count) {
    std::string text;
    for (; count > 0; --count) {
      // One in three says nothing to any query, and so there are distances.
      absl::StrAppend(&text, text.empty() ? "" : " ", OneIn(3) ? absl::StrCat("filler", Below(40)) : AnyWord(),
                      OneIn(9) ? "." : "");
    }
    return text;
  };
  article.title = words(1 + Below(5));
  article.body = words(2 + Below(OneIn(4) ? 40 : 8));
  article.source = Any(values_.at("source"));
  if (article.source == "None Such") article.source.clear();
  for (const std::string& author : values_.at("author")) {
    if (OneIn(4)) article.authors.push_back(author);
  }
  if (!OneIn(6)) {
    // Many share a day to the second, others have a time.
    article.publish_time =
        absl::FromUnixSeconds(kFirstDay + static_cast<int64_t>(Below(kDays)) * kDay +
                              (OneIn(2) ? 0 : static_cast<int64_t>(Below(static_cast<size_t>(kDay)))));
  }
  if (OneIn(3)) article.language_code = Any(values_.at("language_code"));
  if (OneIn(2)) article.content_type = Any(values_.at("content_type"));
  for (const std::string& series : values_.at("attributes.series")) {
    if (OneIn(3)) article.attributes["series"].push_back(series);
  }
  for (const auto& [field, dimension] : std::vector<std::pair<std::string, Dimension>>{
           {"region_code", Dimension::kCountry}, {"group_id", Dimension::kGroup}, {"issue_id", Dimension::kIssue}}) {
    for (const std::string& id : values_.at(field)) {
      if (!OneIn(7)) continue;
      Label label;
      label.dimension = dimension;
      label.id = id;
      label.source = LabelSource::kSource;
      article.labels.push_back(label);
    }
  }
  if (OneIn(15)) article.visible_from = absl::Now() + absl::Hours(24);
  return article;
}

void OracleTest::MakeArticles() {
  // With the first labels comes the taxonomy, by which labels of publishers are checked.
  IngestAndWait(*engine_, MakeArticle("first", "first", "first"));
  Settle(*engine_, Progress::kLabelled);
  ASSERT_TRUE(engine_->Delete("first", {}).ok());
  std::vector<std::string> ids;
  for (int i = 0; i < kArticles; ++i) {
    Article article = MakeOne(i);
    ids.push_back(article.id);
    engine_->Ingest(std::move(article), {},
                    [](IngestResult result) { EXPECT_EQ(result.outcome, IngestOutcome::kCreated); });
  }
  IngestAndWait(*engine_, MakeArticle("end", "end", "end"));
  Settle(*engine_, Progress::kLabelled);
  ASSERT_TRUE(engine_->Delete("end", {}).ok());
  // Some are replaced, some go, editors correct some: not all is in one segment, nor as it came.
  for (int i = 0; i < kArticles; i += 7) IngestAndWait(*engine_, MakeOne(i));
  for (int i = 3; i < kArticles; i += 23) ASSERT_TRUE(engine_->Delete(absl::StrCat("a", i), {}).ok());
  for (int i = 5; i < kArticles; i += 11) {
    LabelCorrection correction;
    Label label;
    label.dimension = OneIn(3) ? Dimension::kIssue : Dimension::kCountry;
    label.id = label.dimension == Dimension::kIssue ? "geopolitics" : "RU";
    (OneIn(2) ? correction.add : correction.remove).push_back(label);
    if (OneIn(3)) correction.replace.push_back(OneIn(2) ? Dimension::kIssue : Dimension::kCountry);
    (void)engine_->CorrectLabels(absl::StrCat("a", i), correction);  // Those that are gone can't be corrected.
  }
  Settle(*engine_, Progress::kLabelled);
  for (const std::string& id : ids) {
    const absl::StatusOr<Article> article = engine_->Get(id, /*include_embargoed=*/true);
    if (!article.ok()) continue;
    Plain plain;
    plain.article = *article;
    const std::string& language = plain.article.language_code;
    plain.title = ReadPassage(plain.article.title, language);
    plain.body = ReadPassage(plain.article.body, language);
    plain.source = ReadPassage(plain.article.source, language);
    for (const std::string& author : plain.article.authors) plain.authors.push_back(ReadPassage(author, language));
    plains_.push_back(std::move(plain));
  }
  ASSERT_GT(plains_.size(), static_cast<size_t>(kArticles) * 9 / 10);
}

std::set<std::string> OracleTest::LabelsOf(const Article& article, Dimension dimension, const LabelOptions& options) {
  std::map<LabelSource, std::map<std::string, double>> applied;
  std::set<std::string> rejected;  // By an editor.
  for (const Label& label : article.labels) {
    if (label.dimension != dimension) continue;
    if (label.verdict == LabelVerdict::kApplied) applied[label.source][label.id] = label.score;
    if (label.verdict == LabelVerdict::kRejected && label.source == LabelSource::kEditor) rejected.insert(label.id);
  }
  std::map<std::string, double> counting;
  if (!options.sources.empty()) {
    for (const LabelSource source : options.sources) {
      for (const auto& [id, score] : applied[source]) counting[id] = std::max(counting[id], score);
    }
  } else {
    counting = applied[LabelSource::kEditor];
    if ((article.replaced_dimensions >> static_cast<int>(dimension) & 1U) == 0) {
      const LabelSource others =
          applied[LabelSource::kSource].empty() ? LabelSource::kClassifier : LabelSource::kSource;
      for (const auto& [id, score] : applied[others]) {
        if (!rejected.contains(id)) counting.emplace(id, score);
      }
    }
  }
  std::set<std::string> ids;
  for (const auto& [id, score] : counting) {
    if (score >= options.min_score - 1e-9) ids.insert(id);
  }
  return ids;
}

std::set<std::string> OracleTest::ValuesOf(const Article& article, const std::string& field,
                                           const LabelOptions& options) const {
  const auto if_any = [](const std::string& value) {
    return value.empty() ? std::set<std::string>() : std::set<std::string>{value};
  };
  const auto date = [&](size_t bytes) {
    return article.publish_time
               ? if_any(absl::FormatTime("%Y-%m", *article.publish_time, absl::UTCTimeZone()).substr(0, bytes))
               : std::set<std::string>();
  };
  if (field == "region_code") return LabelsOf(article, Dimension::kCountry, options);
  if (field == "group_id") return LabelsOf(article, Dimension::kGroup, options);
  if (field == "issue_id") return LabelsOf(article, Dimension::kIssue, options);
  if (field == "source") return if_any(article.source);
  if (field == "author") return {article.authors.begin(), article.authors.end()};
  if (field == "language_code") {
    return if_any(absl::AsciiStrToLower(article.language_code.substr(0, article.language_code.find('-'))));
  }
  if (field == "content_type") return if_any(article.content_type);
  if (field == "year") return date(4);
  if (field == "month") return date(7);
  const auto series = article.attributes.find("series");
  if (series == article.attributes.end()) return {};
  return {series->second.begin(), series->second.end()};
}

bool OracleTest::HasValue(const Plain& plain, const std::string& field, const std::string& value,
                          const LabelOptions& options, bool expand_groups) const {
  if (field == "language_code" && absl::EqualsIgnoreCase(plain.article.language_code, value)) return true;
  if (ValuesOf(plain.article, field, options).contains(value)) return true;
  // The one member.
  return expand_groups && field == "group_id" && value == "gcc" &&
         LabelsOf(plain.article, Dimension::kCountry, options).contains("AE");
}

std::vector<const Passage*> OracleTest::PassagesOf(const Plain& plain, const std::string& scope) {
  if (scope == "title") return {&plain.title};
  if (scope == "source") return {&plain.source};
  std::vector<const Passage*> passages;
  if (scope.empty()) passages = {&plain.title, &plain.body};
  for (const Passage& author : plain.authors) passages.push_back(&author);
  return passages;
}

std::string Scoped(const std::string& scope) { return scope.empty() ? scope : scope + ":"; }

Condition OracleTest::WordIn(const std::string& scope, const std::string& word) {
  const PlainWord wanted = ReadPassage(word, "").at(0);
  const bool stemmed = scope.empty() || scope == "title";
  return {Scoped(scope) + word, [=](const Plain& plain) {
            for (const Passage* passage : PassagesOf(plain, scope)) {
              for (const PlainWord& has : *passage) {
                if (has.folded == wanted.folded || (stemmed && has.stem == wanted.stem)) return true;
              }
            }
            return false;
          }};
}

Condition OracleTest::PhraseIn(const std::string& scope, const std::vector<std::string>& words) {
  return {absl::StrCat(Scoped(scope), "\"", absl::StrJoin(words, " "), "\""), [=](const Plain& plain) {
            for (const Passage* passage : PassagesOf(plain, scope)) {
              for (size_t i = 0; i + words.size() <= passage->size(); ++i) {
                bool all = true;
                for (size_t k = 0; k < words.size(); ++k) all = all && (*passage)[i + k].folded == words[k];
                if (all) return true;
              }
            }
            return false;
          }};
}

// Every choice of places, one for each word.
bool AnyNear(const Passage& passage, const std::vector<std::string>& words, int distance,
             std::vector<int64_t>& places) {
  if (places.size() == words.size()) return true;
  for (const PlainWord& has : passage) {
    if (has.folded != words[places.size()]) continue;
    const bool fits = std::all_of(places.begin(), places.end(), [&](int64_t place) {
      const int64_t apart = std::abs(place - has.position);
      return apart != 0 && apart <= distance;
    });
    if (!fits) continue;
    places.push_back(has.position);
    if (AnyNear(passage, words, distance, places)) return true;
    places.pop_back();
  }
  return false;
}

Condition OracleTest::NearIn(const std::string& scope, const std::vector<std::string>& words, int distance) {
  const std::string near = absl::StrCat(" NEAR/", distance, " ", Scoped(scope));
  return {absl::StrCat(Scoped(scope), absl::StrJoin(words, near)), [=](const Plain& plain) {
            const std::vector<const Passage*> passages = PassagesOf(plain, scope);
            // More words than the distance has room for are near where they stand side by side.
            const int room = std::max(distance, static_cast<int>(words.size()) - 1);
            return std::any_of(passages.begin(), passages.end(), [&](const Passage* passage) {
              std::vector<int64_t> places;
              return AnyNear(*passage, words, room, places);
            });
          }};
}

Condition OracleTest::TextLeaf() {
  const std::vector<std::string> scopes = {"", "", "", "title"};
  const std::string& scope = Any(scopes);
  switch (Below(8)) {
    case 0:
      return PhraseIn(scope, {AnyWord(), AnyWord()});
    case 1:
      return PhraseIn("author", {"jane", "roe"});
    case 2: {
      std::vector<std::string> words = {AnyWord(), AnyWord()};
      if (OneIn(3)) words.push_back(AnyWord());
      return NearIn(scope, words, static_cast<int>(1 + Below(12)));
    }
    case 3:
      return OneIn(2) ? WordIn("source", "harbour") : WordIn("author", "iran");
    case 4: {
      const std::string word = AnyWord();
      const std::string beginning = word.substr(0, 3 + Below(word.size() - 2));
      const PlainWord wanted = ReadPassage(beginning, "").at(0);
      return {absl::StrCat(Scoped(scope), beginning, "*"), [=](const Plain& plain) {
                for (const Passage* passage : PassagesOf(plain, scope)) {
                  for (const PlainWord& has : *passage) {
                    if (absl::StartsWith(has.folded, wanted.folded) || has.stem == wanted.stem) return true;
                  }
                }
                return false;
              }};
    }
    default:
      return WordIn(scope, AnyWord());
  }
}

Condition OracleTest::FieldLeaf(bool filter, const LabelOptions& options, bool expand_groups) {
  if (OneIn(4)) {
    const std::string date = AnyDate();
    const bool before = OneIn(2);
    const std::string text = filter ? absl::StrCat("publish_time ", before ? "<" : ">=", " ", date)
                                    : absl::StrCat(before ? "before:" : "after:", date);
    absl::Time start;
    std::string error;
    EXPECT_TRUE(absl::ParseTime("%Y-%m-%d", date.size() == 7 ? date + "-01" : date, &start, &error)) << error;
    return {text, [=](const Plain& plain) {
              const std::optional<absl::Time>& time = plain.article.publish_time;
              return time && (before ? *time < start : *time >= start);
            }};
  }
  static const std::map<std::string, std::string> kInQueries = {
      {"region_code", "country"}, {"group_id", "group"}, {"issue_id", "issue"}, {"language_code", "language"}};
  std::string field = Any(fields_);
  while (!filter && !kInQueries.contains(field)) field = Any(fields_);
  const std::string value = Any(values_.at(field));
  const bool unequal = filter && OneIn(5);
  return {filter ? absl::StrCat(field, unequal ? " != \"" : " = \"", value, "\"")
                 : absl::StrCat(kInQueries.at(field), ":", value),
          [=, this](const Plain& plain) { return HasValue(plain, field, value, options, expand_groups) != unequal; }};
}

// What stands side by side is joined by AND, which leaves nothing to relax.
Condition OracleTest::Tree(int depth, bool filter, const LabelOptions& options, bool expand_groups) {
  if (depth == 0 || OneIn(3)) {
    return filter || OneIn(4) ? FieldLeaf(filter, options, expand_groups) : TextLeaf();
  }
  Condition first = Tree(depth - 1, filter, options, expand_groups);
  if (OneIn(4)) {
    return {absl::StrCat(OneIn(2) && !filter ? "-" : "NOT ", "(", first.text, ")"),
            [first](const Plain& plain) { return !first.holds(plain); }};
  }
  Condition second = Tree(depth - 1, filter, options, expand_groups);
  const bool both = OneIn(2);
  return {absl::StrCat("(", first.text, both ? " AND " : " OR ", second.text, ")"), [=](const Plain& plain) {
            return both ? first.holds(plain) && second.holds(plain) : first.holds(plain) || second.holds(plain);
          }};
}

void OracleTest::CheckFacet(const FacetRequest& request, const Facet& facet,
                            const std::map<std::string, int64_t>& counts, const std::set<std::string>& selected) const {
  static const std::map<std::string, std::string> kNames = {{"IR", "Iran"},
                                                            {"RU", "Russia"},
                                                            {"AE", "United Arab Emirates"},
                                                            {"gcc", "Gulf Cooperation Council"},
                                                            {"energy", "Energy"},
                                                            {"geopolitics", "Geopolitics"}};
  std::vector<std::pair<std::string, int64_t>> all(counts.begin(), counts.end());
  for (const std::string& value : selected) {
    if (!counts.contains(value)) all.emplace_back(value, 0);
  }
  std::erase_if(all, [&](const auto& value) {
    const auto name = kNames.find(value.first);
    return !selected.contains(value.first) && !absl::StartsWithIgnoreCase(value.first, request.prefix) &&
           (name == kNames.end() || !absl::StartsWithIgnoreCase(name->second, request.prefix));
  });
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
    return request.order_by_id || a.second == b.second ? a.first < b.first : a.second > b.second;
  });
  std::vector<std::pair<std::string, int64_t>> shown;
  int64_t others = 0;
  for (const auto& value : all) {
    if (shown.size() < static_cast<size_t>(request.limit) || selected.contains(value.first)) {
      shown.push_back(value);
    } else {
      others += value.second;
    }
  }
  std::vector<std::pair<std::string, int64_t>> got;
  for (const FacetValue& value : facet.values) {
    got.emplace_back(value.id, value.count);
    EXPECT_EQ(value.selected, selected.contains(value.id)) << facet.field << " " << value.id;
  }
  EXPECT_EQ(got, shown) << facet.field;
  EXPECT_EQ(facet.other_count, others) << facet.field;
  EXPECT_TRUE(facet.exact);
}

TEST_F(OracleTest, TotalsFacetsAndPagesAreTheOracles) {
  MakeArticles();
  if (HasFatalFailure()) return;
  int compared = 0;
  int with_hits = 0;
  for (int round = 0; compared < kQueries && round < 2 * kQueries && !HasFailure(); ++round) {
    SearchQuery query;
    query.typo_mode = TypoMode::kOff;
    query.name_mode = OneIn(2) ? NameMode::kOff : NameMode::kBoost;
    query.snippet = {.title = false, .body = false};
    query.include_embargoed = OneIn(3);
    query.expand_groups = OneIn(2);
    if (OneIn(4)) query.labels.min_score = 0.05 * static_cast<double>(Below(21));
    if (OneIn(5)) query.labels.sources = {OneIn(2) ? LabelSource::kSource : LabelSource::kClassifier};
    if (OneIn(9)) query.labels.sources.push_back(LabelSource::kEditor);
    const LabelOptions labels = query.labels;
    const bool expand = query.expand_groups;

    std::vector<std::function<bool(const Plain&)>> conditions;
    if (!OneIn(6)) {
      const Condition tree = Tree(3, /*filter=*/false, labels, expand);
      query.query = tree.text;
      conditions.push_back(tree.holds);
    }
    if (OneIn(2)) {
      const Condition tree = Tree(2, /*filter=*/true, labels, expand);
      query.filter = tree.text;
      conditions.push_back(tree.holds);
    }
    const auto has_any = [&](const std::string& field, const std::vector<std::string>& values) {
      return [=, this](const Plain& plain) {
        return std::any_of(values.begin(), values.end(),
                           [&](const std::string& value) { return HasValue(plain, field, value, labels, expand); });
      };
    };
    if (OneIn(6)) query.region_codes = {Any(values_.at("region_code"))};
    if (OneIn(8)) query.group_ids = {"gcc"};
    if (!query.region_codes.empty() || !query.group_ids.empty()) {
      conditions.emplace_back([places = has_any("region_code", query.region_codes),
                               groups = has_any("group_id", query.group_ids)](const Plain& plain) {
        return places(plain) || groups(plain);
      });
    }
    if (OneIn(8)) {
      query.issue_ids = {Any(values_.at("issue_id"))};
      conditions.emplace_back(has_any("issue_id", query.issue_ids));
    }
    // By the field that they leave out of their own counts; others are conditions as any.
    std::vector<std::pair<std::string, std::function<bool(const Plain&)>>> choices;
    std::map<std::string, std::set<std::string>> selected;
    for (size_t i = Below(4); i > 0; --i) {
      Selection selection;
      selection.field = Any(fields_);
      for (size_t k = 1 + Below(2); k > 0; --k) selection.values.push_back(Any(values_.at(selection.field)));
      selection.match_all = OneIn(4);
      for (const std::string& value : selection.values) {
        selected[selection.field].insert(value);
        if (selection.match_all) conditions.emplace_back(has_any(selection.field, {value}));
      }
      if (!selection.match_all) choices.emplace_back(selection.field, has_any(selection.field, selection.values));
      query.selections.push_back(std::move(selection));
    }
    for (const std::string& field : fields_) {
      if (OneIn(3)) continue;
      FacetRequest facet;
      facet.field = field;
      facet.limit = static_cast<int>(1 + Below(OneIn(2) ? 3 : 60));
      facet.order_by_id = OneIn(3);
      if (OneIn(5)) facet.prefix = Any(values_.at(field)).substr(0, 1 + Below(2));
      query.facets.push_back(std::move(facet));
    }
    const std::vector<std::string> orders = {"", "relevance", "publish_time desc", "publish_time"};
    query.order_by = Any(orders);

    const auto passes = [&](const Plain& plain, const std::string& left_out) {
      if (plain.article.visible_from && !query.include_embargoed) return false;
      return std::all_of(conditions.begin(), conditions.end(), [&](const auto& holds) { return holds(plain); }) &&
             std::all_of(choices.begin(), choices.end(),
                         [&](const auto& choice) { return choice.first == left_out || choice.second(plain); });
    };
    std::map<std::string, const Plain*> expected;
    for (const Plain& plain : plains_) {
      if (passes(plain, "")) expected.emplace(plain.article.id, &plain);
    }
    SCOPED_TRACE(absl::StrCat("query: ", query.query, "\nfilter: ", query.filter, "\norder: ", query.order_by,
                              "\nmin score: ", labels.min_score, ", expanded: ", expand));

    SearchResult first;
    std::vector<std::string> ids;
    double last_score = 0.0;
    std::optional<absl::Time> last_time;
    const bool newest = query.order_by == "publish_time desc";
    const bool oldest = query.order_by == "publish_time";
    do {
      query.page_size = static_cast<int>(1 + Below(OneIn(2) ? 10 : 100));
      const absl::StatusOr<SearchResult> page = engine_->Search(query);
      ASSERT_TRUE(page.ok()) << page.status();
      if (query.page_token.empty()) first = *page;
      for (const Hit& hit : page->hits) {
        const std::optional<absl::Time>& time = hit.article.publish_time;
        if (!ids.empty()) {
          if (newest || oldest) {
            // Those without a date come last.
            EXPECT_TRUE(!time || (last_time && (newest ? *time <= *last_time : *time >= *last_time))) << hit.article.id;
          } else if (query.order_by == "relevance") {
            EXPECT_LE(hit.score, last_score) << hit.article.id;
          }
        }
        last_time = time;
        last_score = hit.score;
        ids.push_back(hit.article.id);
      }
      EXPECT_TRUE(page->next_page_token.empty() || page->hits.size() == static_cast<size_t>(query.page_size));
      query.page_token = page->next_page_token;
    } while (!query.page_token.empty());
    if (first.interpretation.relaxed) {
      // A phrase alone, in no article: its words were searched for. What the oracle finds is among that.
      EXPECT_LT(expected.size(), 10U);
      for (const auto& [id, plain] : expected) EXPECT_THAT(ids, ::testing::Contains(id));
      continue;
    }
    ++compared;
    with_hits += expected.empty() ? 0 : 1;
    const std::set<std::string> distinct(ids.begin(), ids.end());
    EXPECT_EQ(distinct.size(), ids.size()) << "no page repeats another";
    std::set<std::string> wanted;
    for (const auto& [id, plain] : expected) wanted.insert(id);
    EXPECT_EQ(distinct, wanted);
    EXPECT_EQ(first.total, static_cast<int64_t>(expected.size()));
    EXPECT_TRUE(first.total_exact);
    // However pages are cut, the order is the same; and skipping passes over just so many.
    query.page_size = static_cast<int>(1 + Below(100));
    query.skip = static_cast<int>(Below(expected.size() + 2));
    const absl::StatusOr<SearchResult> skipped = engine_->Search(query);
    ASSERT_TRUE(skipped.ok()) << skipped.status();
    const auto begin = std::min(ids.size(), static_cast<size_t>(query.skip));
    const auto end = std::min(ids.size(), begin + static_cast<size_t>(query.page_size));
    EXPECT_EQ(Ids(*skipped), std::vector<std::string>(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                                      ids.begin() + static_cast<std::ptrdiff_t>(end)));
    ASSERT_EQ(first.facets.size(), query.facets.size());
    for (size_t i = 0; i < query.facets.size(); ++i) {
      const std::string& field = query.facets[i].field;
      std::map<std::string, int64_t> counts;
      for (const Plain& plain : plains_) {
        if (!passes(plain, field)) continue;
        for (const std::string& value : ValuesOf(plain.article, field, labels)) ++counts[value];
        if (field != "language_code") continue;
        // One of a region is counted by itself where it is selected.
        for (const std::string& value : selected[field]) {
          if (absl::StrContains(value, '-') && plain.article.language_code == value) ++counts[value];
        }
      }
      CheckFacet(query.facets[i], first.facets[i], counts, selected[field]);
    }
  }
  EXPECT_TRUE(HasFailure() || compared == kQueries) << compared;
  EXPECT_TRUE(HasFailure() || with_hits > kQueries / 2) << with_hits;
}

}  // namespace
}  // namespace dateline::search
