#include "extraction/pdf_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/article_builder.h"
#include "extraction/html_document.h"
#include "extraction/source_reader.h"
#include "extraction/text_lines.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr char kProgram[] = "/usr/bin/pdftotext";
constexpr int kNotStarted = 127;
// Lines at the head and at the foot of a page that are looked at for what every page has there.
constexpr size_t kMarginLines = 3;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int value() const { return value_; }
  void Close() {
    if (value_ >= 0) {
      close(std::exchange(value_, -1));
    }
  }
  // Out of the way of the standard streams, which the child's own are put in the place of.
  void MoveUp() {
    if (value_ >= 0 && value_ <= STDERR_FILENO) {
      *this = Descriptor(fcntl(value_, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    }
  }

 private:
  int value_ = -1;
};

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::Status Malformed(absl::string_view what) {
  return common::WithReason(common::InvalidField("content", what), kMalformedPdf);
}

absl::StatusOr<Descriptor> FileInMemory(absl::string_view content) {
  Descriptor file(memfd_create("pdf", MFD_CLOEXEC));
  if (file.value() < 0) {
    return SystemError("no memory for a PDF");
  }
  while (!content.empty()) {
    const ssize_t written = write(file.value(), content.data(), content.size());
    if (written < 0 && errno != EINTR) {
      return SystemError("no memory for a PDF");
    }
    content.remove_prefix(written < 0 ? 0 : static_cast<size_t>(written));
  }
  if (lseek(file.value(), 0, SEEK_SET) != 0) {
    return SystemError("a PDF in memory cannot be read");
  }
  file.MoveUp();
  return file;
}

void Limit(decltype(RLIMIT_CPU) resource, size_t limit) {
  const rlimit limits = {limit, limit};
  setrlimit(resource, &limits);
}

// In the child, between fork and exec: nothing but system calls.
[[noreturn]] void RunInChild(int input, int output, const PdfLimits& limits, char* const* arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0) {
    Limit(RLIMIT_CPU, static_cast<size_t>(absl::ToInt64Seconds(limits.timeout)) + 1);
    Limit(RLIMIT_AS, limits.max_memory_bytes);
    Limit(RLIMIT_FSIZE, 0);
    Limit(RLIMIT_CORE, 0);
    Limit(RLIMIT_NOFILE, 64);
    std::array<char*, 1> environment = {nullptr};
    execve(kProgram, arguments, environment.data());
  }
  _exit(kNotStarted);
}

// Stops the child if it is still there when this goes out of scope.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Its status as of waitpid().
  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// All that comes from `descriptor`, until its other end is closed.
absl::StatusOr<std::string> ReadUntilClosed(int descriptor, const PdfLimits& limits) {
  const absl::Time deadline = absl::Now() + limits.timeout;
  std::string all;
  std::array<char, 65'536> piece{};
  while (true) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return Malformed(absl::StrCat("is a PDF that takes longer to read than ", absl::FormatDuration(limits.timeout)));
    }
    pollfd wait = {.fd = descriptor, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) <= 0) {
      continue;
    }
    const ssize_t got = read(descriptor, piece.data(), piece.size());
    if (got == 0) {
      return all;
    }
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return SystemError("the text of a PDF cannot be read");
    }
    all.append(piece.data(), static_cast<size_t>(got));
    if (all.size() > limits.max_text_bytes) {
      return Malformed(absl::StrCat("is a PDF with more than ", limits.max_text_bytes, " bytes of text"));
    }
  }
}

// What pdftotext writes of the pages up to `last`: with "-htmlmeta" an HTML head with the document's properties, and
// its text, in which pages end with a form feed; with "-bbox-layout" each word of the text with its place.
absl::StatusOr<std::string> RunPdfToText(absl::string_view pdf, const char* mode, int last, const PdfLimits& limits) {
  ASSIGN_OR_RETURN(const Descriptor input, FileInMemory(pdf));
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return SystemError("no pipe for the text of a PDF");
  }
  Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  to_parent.MoveUp();
  std::vector<std::string> words = {kProgram,           mode, "-enc", "UTF-8", "-eol", "unix", "-l",
                                    absl::StrCat(last), "-q", "-",    "-"};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) {
    return SystemError("no process for a PDF");
  }
  if (pid == 0) {
    RunInChild(input.value(), to_parent.value(), limits, arguments.data());
  }
  Child child(pid);
  to_parent.Close();
  ASSIGN_OR_RETURN(std::string text, ReadUntilClosed(from_child.value(), limits));
  const int status = child.Wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotStarted) {
    return absl::FailedPreconditionError(
        absl::StrCat("PDFs are read with ", kProgram, ", which is not there; install the package poppler-utils"));
  }
  if (WIFSIGNALED(status)) {
    return Malformed("is a PDF that takes too much time or memory to read, or is damaged");
  }
  if (WEXITSTATUS(status) != 0) {
    return Malformed("is a PDF that is damaged or needs a password");
  }
  return text;
}

// The marks that pdftotext puts around text from right to left: U+202A to U+202E.
std::string WithoutDirectionMarks(absl::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const absl::string_view here = text.substr(i, 3);
    if (here.size() == 3 && absl::StartsWith(here, "\xE2\x80") && here[2] >= '\xAA' && here[2] <= '\xAE') {
      i += 2;
      continue;
    }
    clean.push_back(text[i]);
  }
  return clean;
}

// What programs write there who have no title: names of files and of themselves.
bool IsNoTitle(absl::string_view title) {
  const std::string lower = absl::AsciiStrToLower(title);
  for (const absl::string_view ending :
       {".doc", ".docx", ".pdf", ".indd", ".qxd", ".qxp", ".rtf", ".odt", ".tex", ".dvi", ".html", ".htm", ".pptx",
        ".ppt", ".xlsx", ".xls", ".pub", ".txt", ".cdr"}) {
    if (absl::EndsWith(lower, ending)) {
      return true;
    }
  }
  return CountWords(title) < 2 || absl::StartsWith(lower, "microsoft word") || absl::StartsWith(lower, "file:") ||
         absl::StartsWith(lower, "untitled") || absl::StartsWith(lower, "layout 1");
}

// A line as it would be on another page: numbers differ.
std::string Masked(absl::string_view line) {
  std::string masked;
  for (const char c : line) {
    const bool digit = absl::ascii_isdigit(static_cast<unsigned char>(c));
    if (!digit || masked.empty() || masked.back() != '#') {
      masked.push_back(digit ? '#' : c);
    }
  }
  return masked;
}

// The indices of the lines at the head and at the foot of a page that hold something, each from the edge inwards.
std::array<std::vector<size_t>, 2> Margins(const std::vector<std::string>& lines) {
  std::vector<size_t> filled;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!absl::StripAsciiWhitespace(lines[i]).empty()) {
      filled.push_back(i);
    }
  }
  const size_t deep = std::min(kMarginLines, filled.size());
  return {std::vector<size_t>(filled.begin(), filled.begin() + static_cast<std::ptrdiff_t>(deep)),
          std::vector<size_t>(filled.rbegin(), filled.rbegin() + static_cast<std::ptrdiff_t>(deep))};
}

// One text of all pages, without what half of the pages or more have at their head or foot.
std::string JoinPages(absl::string_view text) {
  std::vector<std::vector<std::string>> pages;
  for (const absl::string_view page : absl::StrSplit(text, '\f')) {
    pages.emplace_back(absl::StrSplit(page, '\n'));
  }
  std::map<std::string, size_t> seen;  // On how many pages.
  for (const std::vector<std::string>& lines : pages) {
    std::set<std::string> here;
    for (const std::vector<size_t>& margin : Margins(lines)) {
      for (const size_t i : margin) {
        here.insert(Masked(absl::StripAsciiWhitespace(lines[i])));
      }
    }
    for (const std::string& line : here) {
      ++seen[line];
    }
  }
  std::string joined;
  for (std::vector<std::string>& lines : pages) {
    for (const std::vector<size_t>& margin : Margins(lines)) {
      for (const size_t i : margin) {
        const size_t times = seen[Masked(absl::StripAsciiWhitespace(lines[i]))];
        if (times < 2 || times * 2 < pages.size() - 1) {
          break;  // What stands further in belongs to the text.
        }
        lines[i].clear();
      }
    }
    std::string page;
    for (const std::string& line : lines) {
      absl::StrAppend(&page, line, "\n");
    }
    const absl::string_view filled = absl::StripAsciiWhitespace(page);
    // A paragraph that the end of a page breaks goes on.
    const bool goes_on = !joined.empty() && !EndsSentence(joined) && !filled.empty() &&
                         absl::ascii_islower(static_cast<unsigned char>(filled[0]));
    absl::StrAppend(&joined, joined.empty() || filled.empty() ? "" : goes_on ? "\n" : "\n\n", filled);
  }
  return joined;
}

// A line of a page. Lengths are in points; y grows downwards.
struct PlacedLine {
  std::string text;
  double top = 0.0;
  double bottom = 0.0;
  double type = 0.0;  // The height of its tallest word.
};

// The number in `tag` behind `name`, such as " yMin=\"".
double NumberIn(absl::string_view tag, absl::string_view name) {
  const size_t at = tag.find(name);
  double number = 0.0;
  if (at == absl::string_view::npos) {
    return number;
  }
  const absl::string_view rest = tag.substr(at + name.size());
  return absl::SimpleAtod(rest.substr(0, rest.find('"')), &number) ? number : 0.0;
}

// The next tag `name` in `*rest`, which is moved behind it; empty if there is none.
absl::string_view NextTag(absl::string_view name, absl::string_view* rest) {
  const size_t at = std::min(rest->find(name), rest->size());
  const size_t end = std::min(rest->find('>', at), rest->size());
  const absl::string_view tag = rest->substr(at, end - at);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return tag;
}

// The lines of a page in what "-bbox-layout" writes. `sizes` takes the height of type of each byte of their text.
std::vector<PlacedLine> ReadPlacedLines(absl::string_view page, std::vector<double>* sizes) {
  std::vector<PlacedLine> lines;
  for (absl::string_view tag = NextTag("<line ", &page); !tag.empty(); tag = NextTag("<line ", &page)) {
    PlacedLine line;
    line.top = NumberIn(tag, " yMin=\"");
    line.bottom = NumberIn(tag, " yMax=\"");
    const double width = NumberIn(tag, " xMax=\"") - NumberIn(tag, " xMin=\"");
    absl::string_view words = page.substr(0, page.find("</line>"));
    for (tag = NextTag("<word ", &words); !tag.empty(); tag = NextTag("<word ", &words)) {
      const double type = NumberIn(tag, " yMax=\"") - NumberIn(tag, " yMin=\"");
      const std::string word = HtmlToText(words.substr(0, words.find("</word>")));
      absl::StrAppend(&line.text, line.text.empty() ? "" : " ", word);
      line.type = std::max(line.type, type);
      sizes->insert(sizes->end(), word.size(), type);
    }
    if (width > line.type) {  // Else it stands on its end.
      line.text = CollapseSpace(WithoutDirectionMarks(line.text));
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

bool MayBeTitle(const std::string& text) {
  constexpr size_t kMaxWords = 30;
  constexpr size_t kMaxBytes = 400;
  return text.size() <= kMaxBytes && CountWords(text) <= kMaxWords && !IsNoTitle(text) &&
         ClassifyLine(text) == LineKind::kNone;
}

// What stands in the largest type in the upper part of the first page, if that is larger than the text's; empty if
// nothing there may be a title. One word alone is the name of the house or of the series.
std::string TitleByType(absl::string_view pdf, const PdfLimits& limits) {
  constexpr double kUpperPart = 0.6;
  constexpr double kLarger = 1.2;
  constexpr double kSame = 0.95;
  constexpr int kMaxTries = 3;
  const absl::StatusOr<std::string> output = RunPdfToText(pdf, "-bbox-layout", 2, limits);
  if (!output.ok()) {
    return "";
  }
  absl::string_view rest = *output;
  const double height = NumberIn(NextTag("<page ", &rest), " height=\"");
  const size_t second = std::min(rest.find("<page "), rest.size());
  std::vector<double> sizes;
  std::vector<PlacedLine> lines = ReadPlacedLines(rest.substr(0, second), &sizes);
  ReadPlacedLines(rest.substr(second), &sizes);
  if (sizes.empty()) {
    return "";
  }
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  const double body = *middle;
  double below = height;  // Only smaller types are still to be tried.
  for (int tries = 0; tries < kMaxTries; ++tries) {
    auto largest = lines.end();
    for (auto line = lines.begin(); line != lines.end(); ++line) {
      if (line->top < height * kUpperPart && line->type < below &&
          (largest == lines.end() || line->type * kSame > largest->type)) {
        largest = line;
      }
    }
    if (largest == lines.end() || largest->type < body * kLarger) {
      return "";
    }
    std::string title;
    const PlacedLine* last = nullptr;
    for (auto line = largest; line != lines.end() && line->type >= largest->type * kSame &&
                              (last == nullptr || (line->top >= last->top && line->top - last->bottom < last->type));
         ++line) {
      absl::StrAppend(&title, title.empty() ? "" : " ", line->text);
      last = &*line;
    }
    if (MayBeTitle(title)) {
      return title;
    }
    below = largest->type * kSame;
  }
  return "";
}

// Takes what stands from `start` to `end` off the body.
void Erase(size_t start, size_t end, Article* article) {
  article->body.erase(start, end - start);
  const auto cut = static_cast<int32_t>(end - start);
  std::vector<Heading> kept;
  for (Heading heading : article->headings) {
    const bool before = heading.end <= static_cast<int32_t>(start);
    if (before || heading.start >= static_cast<int32_t>(end)) {
      heading.start -= before ? 0 : cut;
      heading.end -= before ? 0 : cut;
      kept.push_back(heading);
    }
  }
  article->headings = std::move(kept);
}

// Where among the first paragraphs the title stands, or the rest of a title of two lines, it is no paragraph.
void EraseTitle(absl::string_view title, absl::string_view old_title, Article* article) {
  constexpr int kParagraphs = 5;
  const std::string key = MatchKey(title);
  const std::string old_key = MatchKey(old_title);
  size_t start = 0;
  for (int i = 0; i < kParagraphs && start < article->body.size(); ++i) {
    const size_t end = std::min(article->body.find("\n\n", start), article->body.size());
    const absl::string_view paragraph = absl::string_view(article->body).substr(start, end - start);
    const std::string paragraph_key = MatchKey(paragraph);
    if (!paragraph_key.empty() && (paragraph_key == key || (i == 0 && absl::StrCat(old_key, paragraph_key) == key))) {
      Erase(start, std::min(end + 2, article->body.size()), article);
      return;
    }
    if (!title.empty() && absl::StartsWith(paragraph, absl::StrCat(title, " "))) {  // No room was left below it.
      Erase(start, start + title.size() + 1, article);
      return;
    }
    start = end + 2;
  }
}

// What was taken from the text for its title is a paragraph of it, unless it says the same as `title`.
void KeepOldTitle(absl::string_view title, Article* article) {
  const std::string old_key = MatchKey(article->title);
  if (old_key.empty() || absl::StrContains(MatchKey(title), old_key)) {
    return;
  }
  const std::string before = absl::StrCat(article->title, "\n\n");
  article->body.insert(0, before);
  for (Heading& heading : article->headings) {
    heading.start += static_cast<int32_t>(before.size());
    heading.end += static_cast<int32_t>(before.size());
  }
}

}  // namespace

absl::StatusOr<Extraction> ExtractPdf(absl::string_view pdf, absl::string_view url, absl::Time now,
                                      const PdfLimits& limits) {
  ASSIGN_OR_RETURN(const std::string output, RunPdfToText(pdf, "-htmlmeta", limits.max_pages + 1, limits));
  constexpr char kBegin[] = "<pre>\n";
  const size_t begin = output.find(kBegin);
  const size_t end = output.rfind("</pre>");
  if (begin == std::string::npos || end == std::string::npos || end < begin + sizeof(kBegin) - 1) {
    return Malformed("is a PDF that gives no text");
  }
  const absl::string_view head = absl::string_view(output).substr(0, begin);
  absl::string_view text = absl::string_view(output).substr(0, end).substr(begin + sizeof(kBegin) - 1);
  Extraction extraction;
  size_t pages = 0;
  for (size_t at = text.find('\f'); at != absl::string_view::npos; at = text.find('\f', at + 1)) {
    if (++pages == static_cast<size_t>(limits.max_pages)) {
      if (!absl::StripAsciiWhitespace(text.substr(at + 1)).empty()) {
        extraction.warnings.push_back(absl::StrCat("body: cut off after ", limits.max_pages, " pages"));
      }
      text = text.substr(0, at);
      break;
    }
  }
  const std::string clean = Unwrap(JoinPages(WithoutDirectionMarks(text)));
  if (CountWords(clean) < 10) {
    return common::WithReason(
        common::InvalidField("content", "is a PDF without text; if it is a scan, have its letters recognised first"),
        kNotAnArticle);
  }
  Document document;
  document.content = clean;
  document.media_type = "text/plain";
  document.charset = "utf-8";
  // Prints of pages have menus and teasers, too; where little would be left, all of it is the article.
  absl::StatusOr<Extraction> found = Extract(document, {.explain = false, .now = now});
  if (found.ok() && found->article.body.size() * 2 >= clean.size()) {
    extraction.article = std::move(found->article);
  } else {
    extraction.article.body = common::NormalizeText(clean);
  }
  constexpr absl::string_view kTitle = "<title>";
  Article& article = extraction.article;
  std::string title;
  if (const size_t at = head.find(kTitle); at != absl::string_view::npos) {
    const absl::string_view rest = head.substr(at + kTitle.size());
    title = HtmlToText(rest.substr(0, rest.find("</title>")));
  }
  if (IsNoTitle(title)) {
    title = TitleByType(pdf, limits);
    const std::string first = article.body.substr(0, article.body.find("\n\n"));
    if (title.empty() && article.title.empty() && first.size() < article.body.size() && !EndsSentence(first) &&
        MayBeTitle(first)) {
      title = first;
    }
    EraseTitle(title, article.title, &article);
  }
  if (!title.empty()) {
    KeepOldTitle(title, &article);
    article.title = title;
  }
  FinishArticle(url, now, &extraction.article, &extraction.warnings);
  return extraction;
}

}  // namespace dateline::extraction
