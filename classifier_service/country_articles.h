// Articles with the countries that they are filed under, for training and measuring the country tagger.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_ARTICLES_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_ARTICLES_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "classifier_service/classification.h"
#include "classifier_service/gazetteer.h"
#include "classifier_service/json_lines.h"

namespace dateline::classifier {

struct CountryArticle {
  std::string id;
  std::string source;  // Of the article within its file: the outlet.
  std::string subset;
  std::string split;
  std::string dateline;                // Where and when it was filed, if the collection keeps it apart from the text.
  ArticleText text;                    // Normalised; `publish_time` is the middle of the year, if that is known.
  std::vector<std::string> topics;     // As the collection names them.
  std::vector<std::string> countries;  // Sorted.
  bool labelled = false;               // Has the field `countries`, and the list is complete.
};

// Calls `visit` with each article of a file of JSON Lines, packed with zstd or plain. Returns NotFound if there is no
// such file, InvalidArgument with line and remedy if a line is broken; with `broken`, such lines are put there, and the
// rest is used.
absl::Status ForEachCountryArticle(const std::string& path, const std::function<void(CountryArticle)>& visit,
                                   BrokenLines* broken = nullptr);

// Articles to learn from or to measure with: each has a text and a complete list of countries.
struct LabelledCountryArticles {
  std::vector<CountryArticle> articles;  // Labels are region codes, sorted; datelines are put back.
  int unlabelled = 0;                    // Left out: their list of countries is missing or not complete.
  std::map<std::string, int> groups;     // Labels that are no countries but groups, and how often: they are left out.
};

// Reads those whose field "split" is `split`; all, if that is empty. Labels may be codes, names or aliases of
// countries. A line is broken also if its article has no text, or a label that `gazetteer` doesn't know as one country
// or group: what that would teach is wrong. Errors as of ForEachCountryArticle().
absl::StatusOr<LabelledCountryArticles> ReadLabelledCountryArticles(const std::string& path, absl::string_view split,
                                                                    const Gazetteer& gazetteer,
                                                                    BrokenLines* broken = nullptr);

// Puts the dateline back to the beginning of the text ("CLEVELAND, Feb 26 - Standard Oil Co said"), where articles have
// it as they are printed and as the service gets them. Nothing happens if it is there already.
void RestoreDateline(CountryArticle& article);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_ARTICLES_H_
