#include "classifier_service/publish_check.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dateline::classifier {

absl::Status CheckNotWorse(absl::string_view path, double published_f1, double fresh_f1, int article_count,
                           absl::string_view what) {
  std::fputs(absl::StrFormat("on %d %s: micro-F1 %.3f, by %s %.3f\n", article_count, what, fresh_f1, path, published_f1)
                 .c_str(),
             stdout);
  // Chance moves it by more than that.
  constexpr double kAsGood = 0.005;
  if (fresh_f1 >= published_f1 - kAsGood) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "not published: on %d %s its micro-F1 is %.3f, that of %s %.3f; --force publishes it all the same", article_count,
      what, fresh_f1, path, published_f1));
}

absl::Status NothingToCompareOn(absl::string_view path) {
  return absl::FailedPreconditionError(
      absl::StrCat("not published: no article was held out that the model at ", path,
                   " had not learned from, so that nothing says which of the two is better; give more articles "
                   "(--hold_out says how many are held out), or --force publishes it all the same"));
}

absl::Status NotReplaceable(const absl::Status& error) {
  return absl::Status(error.code(), absl::StrCat("--output: ", error.message(),
                                                 "; or remove it or give --force, if it is worth nothing"));
}

void SayPublished(const std::string& path, absl::string_view version,
                  absl::FunctionRef<void(absl::string_view)> progress) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  progress(absl::StrCat("wrote ", path, ", ", error ? 0 : size, " bytes: ", version));
  if (std::filesystem::exists(absl::StrCat(path, ".previous"), error)) {
    progress(absl::StrCat("what was there is ", path, ".previous; `classifier_train rollback --model ", path,
                          "` brings it back"));
  }
}

}  // namespace dateline::classifier
