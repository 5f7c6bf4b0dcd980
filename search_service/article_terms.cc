#include "search_service/article_terms.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/hash.h"

namespace dateline::search {

FieldRef FieldOf(Dimension dimension) {
  switch (dimension) {
    case Dimension::kCountry:
      return {Field::kRegion, ""};
    case Dimension::kGroup:
      return {Field::kGroup, ""};
    case Dimension::kIssue:
      break;
  }
  return {Field::kIssue, ""};
}

std::vector<std::string> CallersTerms(const Article& article) {
  std::vector<std::string> terms;
  const auto add = [&](const FieldRef& ref, absl::string_view value) {
    if (!value.empty()) terms.push_back(TermFor(ref, value));
  };
  add({Field::kId, ""}, article.id);
  add({Field::kUrl, ""}, article.url);
  for (const std::string& url : article.alternate_urls) add({Field::kUrl, ""}, url);
  add({Field::kSource, ""}, article.source);
  add({Field::kContentType, ""}, article.content_type);
  for (const std::string& author : article.authors) add({Field::kAuthor, ""}, author);
  for (const auto& [name, values] : article.attributes) {
    for (const std::string& value : values) add({Field::kAttribute, name}, value);
  }
  if (article.publish_time) {
    const std::string month = absl::FormatTime("%Y-%m", *article.publish_time, absl::UTCTimeZone());
    add({Field::kMonth, ""}, month);
    add({Field::kYear, ""}, month.substr(0, month.find('-')));
  }
  return terms;
}

std::string TitleTerm(const std::vector<Token>& title) {
  if (title.empty()) return "";
  std::string words;
  for (const Token& token : title) absl::StrAppend(&words, token.word->folded, " ");
  return absl::StrCat("XH:", common::Hash128Hex(words));
}

}  // namespace dateline::search
