// The labelled articles that the default issue model is trained and measured on: reads the shared data folder, joins
// the silver labels, and keeps what is for measuring apart from what is for training, by id and by text.
#ifndef DATELINE_CLASSIFIER_SERVICE_ISSUE_TRAINER_CORPUS_H_
#define DATELINE_CLASSIFIER_SERVICE_ISSUE_TRAINER_CORPUS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "classifier_service/json_lines.h"
#include "classifier_service/taxonomy.h"

namespace dateline::classifier {

// Where an article's labels come from decides what the lack of one means.
enum class Labelling {
  kComplete,    // An annotator gave every issue that applies: an absent label is a "no".
  kSingle,      // One topic an article: an absent label is a "no" unless the issue is a neighbour of the one given.
  kVocabulary,  // Several labels, of a fixed few: a "no" for those few, unknown for the others.
  kPartial,     // An editor said of some issues that they apply, of others that they don't, and nothing of the rest.
};

enum class LabelState { kYes, kNo, kUnknown };

struct LabelledArticle {
  std::string id;
  std::string title;
  std::string body;
  std::string language;             // BCP 47; empty: not said.
  std::vector<std::string> issues;  // Ids of the default taxonomy.
  Labelling labelling = Labelling::kComplete;
  int weight = 1;                       // Counts as often as this in training.
  bool gold = false;                    // Labelled for this very taxonomy.
  std::string source;                   // The first part of the id: "allsides", "reuters21578", ...
  std::vector<std::string> assertable;  // kVocabulary: the few. kPartial: those that don't apply.
};

// Whether the article has the label `issue` of the default taxonomy.
LabelState StateOf(const LabelledArticle& article, absl::string_view issue);

// Whether the article has any of the labels that `issue` is trained from; unknown if it may have one.
LabelState StateOf(const LabelledArticle& article, const Issue& issue);

// Articles kept out of all training.
struct HeldOutSet {
  std::string name;
  std::vector<LabelledArticle> articles;
};

struct Corpus {
  std::vector<LabelledArticle> train;
  std::vector<HeldOutSet> held_out;  // "gold", "allsides", "reuters21578", "masakhanews-eng", "dwie"
  size_t dropped_by_id = 0;          // Articles with a label that are in a test split, or in gold under the same id.
  size_t dropped_by_text =
      0;  // Articles left out because a held-out one has the same text, wholly or for the most part.
};

struct CorpusOptions {
  std::string data_dir;  // Required: the folder with articles/ and issues/ (its README says what is in them).
  // One gold article in so many is held out, by a hash of its id; 0: none but the page the project starts from, which
  // always is.
  int gold_held_out = 4;
  bool with_training = true;  // False: only what is held out; much faster, because no texts are compared.
  int gold_weight = 15;       // Gold articles count so often.
  // Articles that were labelled for this very taxonomy, as scripts/join_labels.py writes them; empty: none. They count
  // as gold does, but none of them is held out.
  std::string labelled_file;
  int labelled_weight = 8;
};

// Reads it all; some 250 MB. NotFound if a file is missing, InvalidArgument with file and line if one is broken.
absl::StatusOr<Corpus> LoadCorpus(const CorpusOptions& options, absl::FunctionRef<void(absl::string_view)> progress);

// Articles of one JSON Lines file (plain or .zst) with `id`, `title` or `body` or both, and either `issues`, all that
// apply (a complete label, []: none), or `applied` and `rejected`, what an editor said of some; `language`, if it is
// known. Weight 1.
// InvalidArgument with line and remedy if a line is broken; with `broken`, such lines are put there, and the rest is
// used.
absl::StatusOr<std::vector<LabelledArticle>> ReadLabelledArticles(const std::string& path,
                                                                  BrokenLines* broken = nullptr);

// What became of a site's own articles on their way into training.
struct OwnArticles {
  std::vector<LabelledArticle> articles;
  std::map<std::string, size_t> unknown_labels;  // Labels that are nothing to the taxonomy, and how often they came.
  size_t contradictions = 0;               // Articles that came twice with different labels; the later one is used.
  std::vector<std::string> contradicting;  // The first 20: "a-1 and a-7".
  size_t undecided = 0;                    // Issues that an article has both applied and rejected: unknown.
  std::vector<std::string> undecided_in;   // The first 20: "a-1 (trade)".
  std::map<std::string, size_t> other_languages;  // Articles left out, by the language they are in.
};

// What a site's own names of labels mean, by common::LabelKey(): ids that issues are trained from; none: no issue.
using IssueLabelMap = absl::flat_hash_map<std::string, std::vector<std::string>>;

// Reads a file as common/label_map_lines.h has it. Targets are ids, names or aliases of issues, with `issue:` before
// them or without; those with `country:` and `group:`, which the same file may have for `dateline evaluate`, are passed
// over. InvalidArgument, with file and line, for anything else.
absl::StatusOr<IssueLabelMap> ReadIssueLabelMap(const std::string& path, const Taxonomy& taxonomy);

// Labels may be names of `map`, which outrank the taxonomy's, or ids of `taxonomy`, names or aliases; they become ids
// that its issues are trained from. Of an article that comes twice, by id or by text, the later one is kept. Those in
// another language than one of `languages` (base languages; empty: any) are left out, by what they say of themselves or
// else by what their text looks like, as the service tells: their words would be taken for words of those languages.
OwnArticles PrepareOwnArticles(std::vector<LabelledArticle> articles, const Taxonomy& taxonomy,
                               const IssueLabelMap& map = {}, const std::vector<std::string>& languages = {});

// Adds `articles` to `corpus.train`; what they repeat, by id or by text, goes out, there and from their own held-out
// part. One in `hold_out` (by a hash of the id) becomes the held-out set "own" instead; 0: none. Returns how many went.
size_t AddOwnArticles(std::vector<LabelledArticle> articles, int hold_out, Corpus& corpus);

// A number that depends on the id alone; which fold an article is in.
uint32_t HashOfId(absl::string_view id);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_ISSUE_TRAINER_CORPUS_H_
