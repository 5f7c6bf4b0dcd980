// What the words around a mention say of it: whether a name stands for the country at all, or for something that is
// called after it, somebody who comes from there, or a figure of speech.
#ifndef DATELINE_CLASSIFIER_SERVICE_MENTION_CONTEXT_H_
#define DATELINE_CLASSIFIER_SERVICE_MENTION_CONTEXT_H_

#include <cstddef>

#include "absl/strings/string_view.h"

#include "classifier_service/classification.h"
#include "classifier_service/gazetteer.h"

namespace dateline::classifier {

// So many bytes on either side are looked at; more does no harm.
inline constexpr size_t kContextBytes = 80;

// A mention and what stands around it, all of one text.
struct MentionContext {
  absl::string_view before;
  absl::string_view words;
  absl::string_view after;
};

// The mention at [start, end) of `text`.
MentionContext ContextOf(absl::string_view text, size_t start, size_t end);

// "Iranian-American relations" is about two countries, "an Iranian-American scholar" about one: whether what follows
// is said of two.
bool IsRelation(absl::string_view after);

// "Brazil, the film by Terry Gilliam": named after the country, not about it.
bool IsWork(absl::string_view after);

// "in Nice", "the Nice attack", "Lyon, Nice"; not "Nice work", "T-Mobile", "Mobile Money": whether a town is meant that
// is called like a word.
bool StandsAsTown(const MentionContext& context);

// "40 US cents", "a million Swiss francs": what something costs.
bool IsCurrency(const MentionContext& context);

// "San Antonio de los Baños" is not the San Antonio that is known: the name goes on.
bool NameGoesOn(const MentionContext& context);

// Why this mention says nothing of the country unless others do: somebody's origin or trade ("the Bombay-born
// novelist", "a Swiss dermatologist"), where others met or an expert works ("reporters in Geneva"), a comparison or a
// figure of speech ("the Switzerland of Central America", "another Vietnam", "unlike Athens"), somebody with that name
// ("Jordan scored 40 points"), a name of which it is a part ("Denmark Vesey", "Poland Spring"), or a name that the
// gazetteer calls weak, as it mostly means something else ("Java", "Victoria"). kNone: no such sign. Where the same
// text names the country otherwise, such mentions count like others: the signs are only likely. English phrases; in
// other texts they are not found. `capitals_are_names`: only names are capitalised, as in English texts, but not in
// their titles, nor in German.
SetAside DoubtOf(const GazetteerEntry& entry, const MentionContext& context, bool capitals_are_names);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_MENTION_CONTEXT_H_
