#include "classifier_service/issue_trainer_corpus.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "classifier_service/language.h"
#include "classifier_service/text_sketch.h"
#include "common/hash.h"
#include "common/label_map_lines.h"
#include "common/language_tag.h"
#include "common/printable.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

using Json = nlohmann::json;

// Texts are the same if half of the shorter one's runs of five words stand in the other, and at least five of them.
constexpr size_t kMinSharedShingles = 5;

// Issues that are often both true of an article, so that one topic label does not deny its neighbours.
struct Neighbours {
  const char* issue;
  std::array<const char*, 7> others;  // Unused places are null.
};
constexpr std::array<Neighbours, 20> kNeighbours = {{
    {"geopolitics", {"conflict", "security", "nuclear", "trade", "terrorism", "politics", nullptr}},
    {"conflict", {"geopolitics", "security", "terrorism", "humanitarian", "nuclear", nullptr}},
    {"security", {"geopolitics", "conflict", "terrorism", "nuclear", "technology", "justice", nullptr}},
    {"terrorism", {"security", "conflict", "geopolitics", "justice", "religion", nullptr}},
    {"nuclear", {"geopolitics", "security", "energy", "conflict", nullptr}},
    {"politics", {"rights", "justice", "geopolitics", "society", nullptr}},
    {"rights", {"justice", "politics", "society", "religion", "migration", nullptr}},
    {"justice", {"rights", "politics", "terrorism", "security", nullptr}},
    {"economy", {"trade", "energy", "infrastructure", "technology", nullptr}},
    {"trade", {"economy", "geopolitics", "energy", "environment", nullptr}},
    {"energy", {"economy", "environment", "trade", "infrastructure", "nuclear", nullptr}},
    {"infrastructure", {"economy", "energy", "technology", "humanitarian", nullptr}},
    {"technology", {"economy", "security", "infrastructure", "culture", "health", nullptr}},
    {"environment", {"energy", "humanitarian", "health", "trade", "economy", nullptr}},
    {"health", {"society", "technology", "humanitarian", "environment", nullptr}},
    {"migration", {"humanitarian", "rights", "security", "society", nullptr}},
    {"humanitarian", {"environment", "health", "migration", "conflict", "infrastructure", nullptr}},
    {"society", {"rights", "religion", "culture", "politics", "health", "migration", nullptr}},
    {"religion", {"society", "rights", "culture", "terrorism", nullptr}},
    {"culture", {"society", "technology", "religion", nullptr}},
}};

bool AreNeighbours(absl::string_view issue, absl::string_view other) {
  for (const Neighbours& entry : kNeighbours) {
    if (entry.issue == issue) {
      return std::any_of(entry.others.begin(), entry.others.end(),
                         [other](const char* name) { return name != nullptr && name == other; });
    }
  }
  return false;
}

// What is known of each source; the first part of its ids names it.
struct Source {
  const char* id_prefix;
  const char* file;
  Labelling labelling;
  int weight;
};
constexpr std::array<Source, 8> kSources = {{
    {"allsides", "articles/allsides.jsonl.zst", Labelling::kSingle, 1},
    {"reuters21578", "articles/reuters21578.jsonl.zst", Labelling::kVocabulary, 1},
    {"bbc", "articles/bbc.jsonl.zst", Labelling::kSingle, 1},
    {"masakhanews-eng", "articles/masakhanews_eng.jsonl.zst", Labelling::kSingle, 1},
    {"cap-nyt", "articles/cap_nyt_headlines.jsonl.zst", Labelling::kSingle, 1},
    {"dwie", "articles/dwie.jsonl.zst", Labelling::kVocabulary, 3},
    {"reliefweb", "articles/reliefweb_themes.jsonl.zst", Labelling::kVocabulary, 1},
    {"cep", "articles/current_events.jsonl.zst", Labelling::kSingle, 3},
}};
constexpr char kGoldFile[] = "articles/gold.jsonl.zst";
constexpr char kSilverFile[] = "issues/silver_issues.jsonl.zst";

// Sections of the current-events portal, which the silver labels leave out.
struct SectionIssue {
  const char* section;
  const char* issue;
};
constexpr std::array<SectionIssue, 10> kCurrentEventsSections = {{
    {"War_Conflict", "conflict"},
    {"Disaster_Accident", "humanitarian"},
    {"International_Relation", "geopolitics"},
    {"Law_Crime", "justice"},
    {"Politics", "politics"},
    {"Business_Finance", "economy"},
    {"Entertainment_Culture", "culture"},
    {"Sports", "culture"},
    {"Technology_Internet", "technology"},
    {"Health_Medical_Pharma", "health"},
}};

std::string StringOf(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::vector<std::string> StringsOf(const Json& json, const char* key) {
  std::vector<std::string> strings;
  if (const auto it = json.find(key); it != json.end() && it->is_array()) {
    for (const Json& value : *it) {
      if (value.is_string()) {
        strings.push_back(value.get<std::string>());
      }
    }
  }
  return strings;
}

absl::StatusOr<LabelledArticle> ArticleOf(const Json& json) {
  LabelledArticle article;
  ASSIGN_OR_RETURN(article.id, IdField(json));
  ASSIGN_OR_RETURN(const std::string title, StringField(json, "title"));
  ASSIGN_OR_RETURN(const std::string body, StringField(json, "body"));
  article.title = common::NormalizeLine(title);
  article.body = common::NormalizeText(body);
  article.source = article.id.substr(0, article.id.find('/'));
  return article;
}

// Finds texts that were seen before, wholly or for the most part.
class SeenTexts {
 public:
  void Add(const LabelledArticle& article) {
    const auto owner = static_cast<uint32_t>(sizes_.size());
    const std::vector<uint64_t> shingles = ShinglesOf(article.title, article.body);
    sizes_.push_back(shingles.size());
    for (const uint64_t shingle : shingles) {
      owners_.emplace(shingle, owner);
    }
  }

  bool Contains(const LabelledArticle& article) const {
    const std::vector<uint64_t> shingles = ShinglesOf(article.title, article.body);
    absl::flat_hash_map<uint32_t, size_t> shared;
    for (const uint64_t shingle : shingles) {
      if (const auto it = owners_.find(shingle); it != owners_.end()) {
        ++shared[it->second];
      }
    }
    return std::any_of(shared.begin(), shared.end(), [&](const auto& entry) {
      const size_t shorter = std::min(shingles.size(), sizes_[entry.first]);
      return entry.second >= std::min(kMinSharedShingles, shorter) && entry.second * 2 >= shorter;
    });
  }

 private:
  absl::flat_hash_map<uint64_t, uint32_t> owners_;
  std::vector<size_t> sizes_;
};

}  // namespace

LabelState StateOf(const LabelledArticle& article, absl::string_view issue) {
  if (std::find(article.issues.begin(), article.issues.end(), issue) != article.issues.end()) {
    return LabelState::kYes;
  }
  switch (article.labelling) {
    case Labelling::kComplete:
      return LabelState::kNo;
    case Labelling::kPartial:
    case Labelling::kVocabulary:
      return std::find(article.assertable.begin(), article.assertable.end(), issue) != article.assertable.end()
                 ? LabelState::kNo
                 : LabelState::kUnknown;
    case Labelling::kSingle:
      break;
  }
  const bool doubtful =
      article.issues.empty() || std::any_of(article.issues.begin(), article.issues.end(),
                                            [issue](const std::string& given) { return AreNeighbours(issue, given); });
  return doubtful ? LabelState::kUnknown : LabelState::kNo;
}

LabelState StateOf(const LabelledArticle& article, const Issue& issue) {
  LabelState state = LabelState::kNo;
  for (const std::string& label : issue.trained_from) {
    const LabelState one = StateOf(article, label);
    if (one == LabelState::kYes) {
      return one;
    }
    if (one == LabelState::kUnknown) {
      state = one;
    }
  }
  return state;
}

uint32_t HashOfId(absl::string_view id) {
  return static_cast<uint32_t>(std::strtoul(common::Sha256Hex(id).substr(0, 8).c_str(), nullptr, 16));
}

absl::StatusOr<std::vector<LabelledArticle>> ReadLabelledArticles(const std::string& path, BrokenLines* broken) {
  std::vector<LabelledArticle> articles;
  const auto read = [&](const Json& json) -> absl::Status {
    ASSIGN_OR_RETURN(LabelledArticle article, ArticleOf(json));
    if (article.title.empty() && article.body.empty()) {
      return absl::InvalidArgumentError("no text; give each article a title, a body or both");
    }
    ASSIGN_OR_RETURN(std::vector<std::string> issues, StringsField(json, "issues"));
    ASSIGN_OR_RETURN(std::vector<std::string> applied, StringsField(json, "applied"));
    ASSIGN_OR_RETURN(std::vector<std::string> rejected, StringsField(json, "rejected"));
    const bool partial = json.contains("applied") || json.contains("rejected");
    if (partial == json.contains("issues")) {
      return absl::InvalidArgumentError(
          partial ? "give either issues (all that apply) or applied and rejected, not both"
                  : "no labels; give issues, a list of all that apply ([] if none does), or applied and rejected");
    }
    article.labelling = partial ? Labelling::kPartial : Labelling::kComplete;
    article.issues = partial ? std::move(applied) : std::move(issues);
    article.assertable = std::move(rejected);
    ASSIGN_OR_RETURN(article.language, StringField(json, "language"));
    articles.push_back(std::move(article));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachJsonLine(path, read, broken));
  return articles;
}

namespace {

// Ids that the live issues of `issue` are trained from.
std::vector<std::string> TrainedFrom(const Taxonomy& taxonomy, const Issue& issue) {
  std::vector<std::string> labels;
  for (const std::string& id : taxonomy.Resolve(issue.id)) {
    labels.push_back(taxonomy.Find(id)->trained_from.front());
  }
  return labels;
}

void MakeUnique(std::vector<std::string>& labels) {
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

}  // namespace

absl::StatusOr<IssueLabelMap> ReadIssueLabelMap(const std::string& path, const Taxonomy& taxonomy) {
  ASSIGN_OR_RETURN(const std::vector<common::LabelMapLine> lines, common::ReadLabelMapLines(path));
  IssueLabelMap map;
  for (const common::LabelMapLine& line : lines) {
    std::vector<std::string>& labels = map[line.key];
    for (absl::string_view target : line.targets) {
      if (absl::StartsWith(target, "country:") || absl::StartsWith(target, "group:")) {
        continue;
      }
      const bool said = absl::ConsumePrefix(&target, "issue:");
      const Issue* issue = taxonomy.FindByName(target);
      if (issue == nullptr) {
        const absl::Status wrong = common::LabelMapError(
            line, absl::StrCat("“", common::Printable(target), "” is no issue of the taxonomy; ",
                               said ? "`dateline taxonomy` lists what there is"
                                    : "correct it, or write country: or group: before it if it is one"));
        return absl::InvalidArgumentError(absl::StrCat(common::Printable(path), ", ", wrong.message()));
      }
      const std::vector<std::string> meant = TrainedFrom(taxonomy, *issue);
      labels.insert(labels.end(), meant.begin(), meant.end());
    }
  }
  return map;
}

OwnArticles PrepareOwnArticles(std::vector<LabelledArticle> articles, const Taxonomy& taxonomy,
                               const IssueLabelMap& map, const std::vector<std::string>& languages) {
  constexpr size_t kNamesKept = 20;
  OwnArticles own;
  absl::flat_hash_set<std::string> known;
  for (const Issue* issue : taxonomy.LiveIssues()) {
    known.insert(issue->trained_from.begin(), issue->trained_from.end());
  }
  const auto meaning = [&](const std::string& label) -> std::vector<std::string> {
    if (const auto mapped = map.find(common::LabelKey(label)); mapped != map.end()) {
      return mapped->second;
    }
    if (known.contains(label)) {
      return {label};
    }
    const Issue* issue = taxonomy.FindByName(label);
    std::vector<std::string> labels = issue == nullptr ? std::vector<std::string>() : TrainedFrom(taxonomy, *issue);
    if (labels.empty()) {
      ++own.unknown_labels[label];
    }
    return labels;
  };
  const auto resolve = [&](std::vector<std::string>& labels) {
    std::vector<std::string> resolved;
    for (const std::string& label : labels) {
      const std::vector<std::string> meant = meaning(label);
      resolved.insert(resolved.end(), meant.begin(), meant.end());
    }
    MakeUnique(resolved);
    labels = std::move(resolved);
  };
  // What an article has both applied and rejected says nothing.
  const auto decide = [&](LabelledArticle& article) {
    std::vector<std::string> both;
    std::set_intersection(article.issues.begin(), article.issues.end(), article.assertable.begin(),
                          article.assertable.end(), std::back_inserter(both));
    for (const std::string& label : both) {
      std::erase(article.issues, label);
      std::erase(article.assertable, label);
      if (++own.undecided <= kNamesKept) {
        own.undecided_in.push_back(absl::StrCat(article.id, " (", label, ")"));
      }
    }
  };
  absl::flat_hash_map<std::string, size_t> by_id;
  absl::flat_hash_map<std::string, size_t> by_text;
  for (LabelledArticle& article : articles) {
    if (!languages.empty()) {
      const std::string language = common::BaseLanguage(
          article.language.empty() ? DetectLanguage(article.title, article.body) : article.language);
      const bool is_known = std::find(languages.begin(), languages.end(), language) != languages.end();
      if (!is_known && !language.empty() && language != "und") {
        ++own.other_languages[language];
        continue;
      }
    }
    resolve(article.issues);
    resolve(article.assertable);
    decide(article);
    const std::string text = common::Hash128Hex(common::FoldForMatch(absl::StrCat(article.title, "\n", article.body)));
    const auto same_id = by_id.find(article.id);
    const auto same_text = by_text.find(text);
    if (same_id == by_id.end() && same_text == by_text.end()) {
      by_id.emplace(article.id, own.articles.size());
      by_text.emplace(text, own.articles.size());
      own.articles.push_back(std::move(article));
      continue;
    }
    const size_t place = same_id != by_id.end() ? same_id->second : same_text->second;
    LabelledArticle& before = own.articles[place];
    if ((before.issues != article.issues || before.assertable != article.assertable) &&
        ++own.contradictions <= kNamesKept) {
      own.contradicting.push_back(before.id == article.id ? before.id : absl::StrCat(before.id, " and ", article.id));
    }
    by_id.emplace(article.id, place);
    by_text.emplace(text, place);
    before = std::move(article);
  }
  return own;
}

size_t AddOwnArticles(std::vector<LabelledArticle> articles, int hold_out, Corpus& corpus) {
  HeldOutSet own;
  own.name = "own";
  SeenTexts texts;
  absl::flat_hash_set<std::string> ids;
  for (const LabelledArticle& article : articles) {
    texts.Add(article);
    ids.insert(article.id);
  }
  const auto repeated = [&](const LabelledArticle& article) {
    return ids.contains(article.id) || texts.Contains(article);
  };
  const size_t before = corpus.train.size();
  corpus.train.erase(std::remove_if(corpus.train.begin(), corpus.train.end(), repeated), corpus.train.end());
  const size_t gone = before - corpus.train.size();
  for (LabelledArticle& article : articles) {
    article.gold = true;
    if (hold_out > 0 && HashOfId(article.id) % static_cast<uint32_t>(hold_out) == 0) {
      own.articles.push_back(std::move(article));
    } else {
      corpus.train.push_back(std::move(article));
    }
  }
  if (!own.articles.empty()) {
    corpus.held_out.insert(corpus.held_out.begin(), std::move(own));
  }
  return gone;
}

absl::StatusOr<Corpus> LoadCorpus(const CorpusOptions& options, absl::FunctionRef<void(absl::string_view)> progress) {
  Corpus corpus;
  SeenTexts held_out_texts;
  SeenTexts gold_texts;
  absl::flat_hash_set<std::string> gold_ids;
  absl::flat_hash_set<std::string> labelled_ids;

  // Gold first: whatever has its text is not trained on as silver, whether it is held out or not.
  HeldOutSet gold_held_out;
  gold_held_out.name = "gold";
  std::vector<LabelledArticle> gold_train;
  ASSIGN_OR_RETURN(std::vector<LabelledArticle> gold,
                   ReadLabelledArticles(absl::StrCat(options.data_dir, "/", kGoldFile)));
  for (LabelledArticle& article : gold) {
    article.gold = true;
    article.weight = options.gold_weight;
    gold_ids.insert(article.id);
    gold_texts.Add(article);
    // The page the project starts from is never trained on: it is what the tags are shown with.
    const bool shown = article.source == "gulfif";
    if (shown ||
        (options.gold_held_out > 0 && HashOfId(article.id) % static_cast<uint32_t>(options.gold_held_out) == 0)) {
      held_out_texts.Add(article);
      gold_held_out.articles.push_back(std::move(article));
    } else {
      gold_train.push_back(std::move(article));
    }
  }
  corpus.held_out.push_back(std::move(gold_held_out));
  if (!options.labelled_file.empty() && options.with_training) {
    ASSIGN_OR_RETURN(std::vector<LabelledArticle> labelled, ReadLabelledArticles(options.labelled_file));
    progress(absl::StrCat("read ", options.labelled_file, ": ", labelled.size(), " to train on"));
    for (LabelledArticle& article : labelled) {
      if (gold_ids.contains(article.id) || gold_texts.Contains(article)) {
        ++corpus.dropped_by_text;
        continue;
      }
      article.gold = true;
      article.weight = options.labelled_weight;
      labelled_ids.insert(article.id);
      gold_train.push_back(std::move(article));
    }
  }

  struct Silver {
    std::vector<std::string> issues;
    std::string split;
  };
  absl::flat_hash_map<std::string, Silver> silver;
  absl::flat_hash_map<std::string, std::set<std::string>> assertable;
  RETURN_IF_ERROR(
      ForEachJsonLine(absl::StrCat(options.data_dir, "/", kSilverFile), [&](const Json& json) -> absl::Status {
        const std::string id = StringOf(json, "id");
        Silver& entry = silver[id];
        entry.issues = StringsOf(json, "issues");
        entry.split = StringOf(json, "split");
        assertable[id.substr(0, id.find('/'))].insert(entry.issues.begin(), entry.issues.end());
        return absl::OkStatus();
      }));

  std::vector<LabelledArticle> candidates;
  for (const Source& source : kSources) {
    HeldOutSet held_out;
    held_out.name = source.id_prefix;
    const std::set<std::string>& few = assertable[source.id_prefix];
    size_t taken = 0;
    RETURN_IF_ERROR(
        ForEachJsonLine(absl::StrCat(options.data_dir, "/", source.file), [&](const Json& json) -> absl::Status {
          ASSIGN_OR_RETURN(LabelledArticle article, ArticleOf(json));
          article.labelling = source.labelling;
          article.weight = source.weight;
          article.assertable.assign(few.begin(), few.end());
          std::string split = StringOf(json, "split");
          if (const auto it = silver.find(article.id); it != silver.end()) {
            article.issues = it->second.issues;
            if (it->second.split == "test") {
              split = "test";
            }
          }
          if (article.source == "cep") {
            for (const std::string& section : StringsOf(json, "topics")) {
              for (const SectionIssue& mapped : kCurrentEventsSections) {
                if (section == mapped.section) {
                  article.issues.emplace_back(mapped.issue);
                }
              }
            }
          }
          if (split == "test") {
            // Its text is barred from training even where it has no label.
            if (options.with_training) {
              held_out_texts.Add(article);
            }
            if (!article.issues.empty()) {
              ++corpus.dropped_by_id;
              held_out.articles.push_back(std::move(article));
            }
            return absl::OkStatus();
          }
          if (article.issues.empty() || !options.with_training) {
            return absl::OkStatus();
          }
          if (gold_ids.contains(article.id) || labelled_ids.contains(article.id)) {
            ++corpus.dropped_by_id;
            return absl::OkStatus();
          }
          ++taken;
          candidates.push_back(std::move(article));
          return absl::OkStatus();
        }));
    progress(absl::StrCat("read ", source.file, ": ", taken, " to train on, ", held_out.articles.size(), " held out"));
    if (!held_out.articles.empty()) {
      corpus.held_out.push_back(std::move(held_out));
    }
  }

  if (!options.with_training) {
    return corpus;
  }
  for (LabelledArticle& article : gold_train) {
    if (held_out_texts.Contains(article)) {
      ++corpus.dropped_by_text;
    } else {
      corpus.train.push_back(std::move(article));
    }
  }
  for (LabelledArticle& article : candidates) {
    if (held_out_texts.Contains(article) || gold_texts.Contains(article)) {
      ++corpus.dropped_by_text;
    } else {
      corpus.train.push_back(std::move(article));
    }
  }
  progress(absl::StrCat(corpus.train.size(), " articles to train on; left out ", corpus.dropped_by_id, " by id and ",
                        corpus.dropped_by_text, " by text"));
  return corpus;
}

}  // namespace dateline::classifier
