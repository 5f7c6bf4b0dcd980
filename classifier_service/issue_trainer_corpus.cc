#include "classifier_service/issue_trainer_corpus.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "classifier_service/text_sketch.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxLineBytes = 64'000'000;

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

// Calls `on_line` with each line of a file, unpacked if its name ends in .zst.
absl::Status ForEachLine(const std::string& path, absl::FunctionRef<absl::Status(absl::string_view, int)> on_line) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot read \"", path, "\"; check the path and that the file exists"));
  }
  const bool packed = absl::EndsWith(path, ".zst");
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  std::string in(1 << 17, '\0');
  std::string out(1 << 18, '\0');
  std::string pending;
  int line = 0;
  size_t state = 0;
  const auto take = [&](absl::string_view chunk) -> absl::Status {
    while (true) {
      const size_t newline = chunk.find('\n');
      pending.append(chunk.data(), newline == absl::string_view::npos ? chunk.size() : newline);
      if (pending.size() > kMaxLineBytes) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": line ", line + 1, " is over ", kMaxLineBytes, " bytes"));
      }
      if (newline == absl::string_view::npos) {
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(on_line(pending, ++line));
      pending.clear();
      chunk.remove_prefix(newline + 1);
    }
  };
  while (file) {
    file.read(in.data(), static_cast<std::streamsize>(in.size()));
    const auto count = static_cast<size_t>(file.gcount());
    if (!packed) {
      RETURN_IF_ERROR(take(absl::string_view(in.data(), count)));
      continue;
    }
    ZSTD_inBuffer input = {in.data(), count, 0};
    while (input.pos < input.size) {
      ZSTD_outBuffer output = {out.data(), out.size(), 0};
      state = ZSTD_decompressStream(context.get(), &output, &input);
      if (ZSTD_isError(state) != 0) {
        return absl::DataLossError(absl::StrCat(path, ": corrupted (", ZSTD_getErrorName(state), "); fetch it again"));
      }
      RETURN_IF_ERROR(take(absl::string_view(out.data(), output.pos)));
    }
  }
  if (packed && state != 0) {
    return absl::DataLossError(absl::StrCat(path, ": truncated; fetch it again"));
  }
  if (!pending.empty()) {
    return on_line(pending, line + 1);
  }
  return absl::OkStatus();
}

// Errors of lines end it, unless `broken` is there to take them.
absl::Status ForEachJson(const std::string& path, absl::FunctionRef<absl::Status(const Json&)> on_object,
                         BrokenLines* broken = nullptr) {
  return ForEachLine(path, [&](absl::string_view line, int number) -> absl::Status {
    if (line.empty()) {
      return absl::OkStatus();
    }
    const Json json = Json::parse(line.data(), line.data() + line.size(), nullptr, /*allow_exceptions=*/false);
    absl::Status status = json.is_object()
                              ? on_object(json)
                              : absl::InvalidArgumentError("is no JSON object; each line must be one article");
    if (status.ok()) {
      return status;
    }
    status = absl::Status(status.code(),
                          absl::StrCat(path, ": line ", number, json.is_object() ? ": " : " ", status.message()));
    if (broken == nullptr) {
      return status;
    }
    constexpr size_t kProblemsKept = 100;
    if (++broken->count <= kProblemsKept) {
      broken->problems.emplace_back(status.message());
    }
    return absl::OkStatus();
  });
}

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
  article.id = StringOf(json, "id");
  if (article.id.empty()) {
    return absl::InvalidArgumentError("no id; give each article one of its own");
  }
  article.title = common::NormalizeLine(StringOf(json, "title"));
  article.body = common::NormalizeText(StringOf(json, "body"));
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

uint32_t HashOfId(absl::string_view id) {
  return static_cast<uint32_t>(std::strtoul(common::Sha256Hex(id).substr(0, 8).c_str(), nullptr, 16));
}

absl::StatusOr<std::vector<LabelledArticle>> ReadLabelledArticles(const std::string& path, BrokenLines* broken) {
  std::vector<LabelledArticle> articles;
  const auto read = [&](const Json& json) -> absl::Status {
    ASSIGN_OR_RETURN(LabelledArticle article, ArticleOf(json));
    for (const char* const field : {"issues", "applied", "rejected"}) {
      const auto it = json.find(field);
      if (it == json.end()) {
        continue;
      }
      const bool strings =
          it->is_array() && std::all_of(it->begin(), it->end(), [](const Json& one) { return one.is_string(); });
      if (!strings) {
        return absl::InvalidArgumentError(absl::StrCat(field, ": must be a list of issue ids, such as [\"trade\"]"));
      }
    }
    if (json.contains("applied") || json.contains("rejected")) {
      if (json.contains("issues")) {
        return absl::InvalidArgumentError("give either issues (all that apply) or applied and rejected, not both");
      }
      article.labelling = Labelling::kPartial;
      article.issues = StringsOf(json, "applied");
      article.assertable = StringsOf(json, "rejected");
    } else {
      article.issues = StringsOf(json, "issues");
    }
    articles.push_back(std::move(article));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ForEachJson(path, read, broken));
  return articles;
}

OwnArticles PrepareOwnArticles(std::vector<LabelledArticle> articles, const Taxonomy& taxonomy) {
  constexpr size_t kNamesKept = 20;
  OwnArticles own;
  absl::flat_hash_set<std::string> known;
  for (const Issue* issue : taxonomy.LiveIssues()) {
    known.insert(issue->trained_from.begin(), issue->trained_from.end());
  }
  const auto resolve = [&](std::vector<std::string>& labels) {
    std::vector<std::string> resolved;
    for (const std::string& label : labels) {
      if (known.contains(label)) {
        resolved.push_back(label);
        continue;
      }
      const Issue* issue = taxonomy.FindByName(label);
      const std::vector<std::string> live = issue == nullptr ? std::vector<std::string>() : taxonomy.Resolve(issue->id);
      for (const std::string& id : live) {
        resolved.push_back(taxonomy.Find(id)->trained_from.front());
      }
      if (live.empty() && ++own.unknown_labels <= kNamesKept &&
          std::find(own.unknown_names.begin(), own.unknown_names.end(), label) == own.unknown_names.end()) {
        own.unknown_names.push_back(label);
      }
    }
    std::sort(resolved.begin(), resolved.end());
    resolved.erase(std::unique(resolved.begin(), resolved.end()), resolved.end());
    labels = std::move(resolved);
  };
  absl::flat_hash_map<std::string, size_t> by_id;
  absl::flat_hash_map<std::string, size_t> by_text;
  for (LabelledArticle& article : articles) {
    resolve(article.issues);
    resolve(article.assertable);
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
  RETURN_IF_ERROR(ForEachJson(absl::StrCat(options.data_dir, "/", kSilverFile), [&](const Json& json) -> absl::Status {
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
        ForEachJson(absl::StrCat(options.data_dir, "/", source.file), [&](const Json& json) -> absl::Status {
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
