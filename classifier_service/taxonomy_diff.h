// What changes for articles, readers and models when one taxonomy takes the place of another.
#ifndef DATELINE_CLASSIFIER_SERVICE_TAXONOMY_DIFF_H_
#define DATELINE_CLASSIFIER_SERVICE_TAXONOMY_DIFF_H_

#include <string>
#include <vector>

#include "classifier_service/taxonomy.h"

namespace dateline::classifier {

struct TaxonomyChange {
  enum class Kind {
    kAdded,     // A new id; `to` is its English name.
    kRemoved,   // The id is gone, and nothing stands for it: labels with it mean nothing any more. `from` is its name.
    kRetired,   // `replaced_by` is new; `to` are the live ids that stand for it.
    kRevived,   // Was retired and is live again; `from` are the ids that stood for it.
    kReplaced,  // Was retired before, and other ids stand for it now.
    kRenamed,   // The English name.
    kTranslated,  // A name in another language came, went or changed: "fr: Commerce" or nothing.
    kAliases,     // Other names, in any language: which were dropped, which are new.
    kMoved,       // Another parent, or none.
    kRedefined,   // The definition.
    kRetrained,   // Seed phrases or the labels it is trained from, those dropped and those new: a model trained anew
                  // will judge otherwise.
    kCodes,       // IPTC Media Topics or Comparative Agendas codes.
  };
  Kind kind = Kind::kAdded;
  std::string issue_id;
  std::string from;  // As it was; empty where there was nothing.
  std::string to;    // As it is; empty where there is nothing.
};

// The changes, by issue: those of `after` in its order, then those that only `before` has.
std::vector<TaxonomyChange> DiffTaxonomies(const Taxonomy& before, const Taxonomy& after);

// The ids of the live issues of `after` that a model trained for `before` says nothing of: they go by their seed
// phrases.
std::vector<std::string> IssuesWithoutModel(const Taxonomy& before, const Taxonomy& after);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_TAXONOMY_DIFF_H_
