#include "extraction/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::extraction {
namespace {

constexpr size_t kReadBytes = 65'536;
// So much of what was read before is kept: more than what tells that a zip is at its end.
constexpr size_t kKeptBytes = 64;
constexpr int64_t kTarBlockBytes = 512;

// The name of what a compressed file holds: "feed.xml" for "x/feed.xml.gz".
std::string InnerName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  absl::string_view name = slash == absl::string_view::npos ? path : path.substr(slash + 1);
  for (const absl::string_view ending : {".gz", ".bz2", ".xz", ".zst"}) {
    if (absl::EndsWithIgnoreCase(name, ending)) {
      name.remove_suffix(ending.size());
      break;
    }
  }
  return std::string(name);
}

// What comes next in an archive.
struct Step {
  archive_entry* entry = nullptr;  // A file or folder, valid until the next step; null at the end.
  absl::Status damage;             // What was passed over before the entry; without an entry, what ends the reading.
};

bool IsSound(int result) {
  return result == ARCHIVE_OK || result == ARCHIVE_WARN;  // Names in an unknown charset are the usual warning.
}

// libarchive converts names to and from the charset of the thread's locale; that of C has none but those in ASCII, and
// other names would be lost. For as long as the object lives.
class NamesInUtf8 {
 public:
  NamesInUtf8() : before_(uselocale(Utf8Locale())) {}
  ~NamesInUtf8() { uselocale(before_); }
  NamesInUtf8(const NamesInUtf8&) = delete;
  NamesInUtf8& operator=(const NamesInUtf8&) = delete;

 private:
  // Null where the system has none: uselocale() then changes nothing. Lives as long as the process.
  static locale_t Utf8Locale() {
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8;
  }

  const locale_t before_;
};

// What can be unpacked of a gzip file that breaks off: libarchive gives nothing of the last 64 KB before the end.
std::string UnpackPartOfGzip(absl::string_view packed) {
  constexpr size_t kMaxBytes = 1'000'000;
  constexpr absl::string_view kMagic = "\x1F\x8B";
  std::string unpacked;
  z_stream stream{};
  constexpr int kGzipOnly = 16;
  if (!absl::StartsWith(packed, kMagic) || inflateInit2(&stream, MAX_WBITS + kGzipOnly) != Z_OK) {
    return unpacked;
  }
  stream.next_in = reinterpret_cast<const Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::array<char, kReadBytes> piece{};
  while (unpacked.size() < kMaxBytes) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int result = inflate(&stream, Z_SYNC_FLUSH);
    const size_t got = piece.size() - stream.avail_out;
    unpacked.append(piece.data(), got);
    const absl::string_view rest(reinterpret_cast<const char*>(stream.next_in), stream.avail_in);
    const bool another = result == Z_STREAM_END && absl::StartsWith(rest, kMagic) && inflateReset(&stream) == Z_OK;
    if (!another && (result != Z_OK || got == 0)) {
      break;
    }
  }
  inflateEnd(&stream);
  return unpacked;
}

// What libarchive reads from and counts by. The files that are read from it share it, and may outlive its reader.
class Unpacker {
 public:
  explicit Unpacker(Input input) : input_(std::move(input)), archive_(archive_read_new()) {
    // Nothing else: other filters start programs, and other formats have more to go wrong than articles in them.
    archive_read_support_filter_gzip(archive_);
    archive_read_support_filter_bzip2(archive_);
    archive_read_support_filter_xz(archive_);
    archive_read_support_filter_zstd(archive_);
    archive_read_support_format_zip_streamable(archive_);
    archive_read_support_format_tar(archive_);
    archive_read_support_format_raw(archive_);
    // A tar after the end of another is read on, too.
    archive_read_set_format_option(archive_, "tar", "read_concatenated_archives", "1");
  }
  ~Unpacker() {
    archive_read_free(archive_);
    archive_entry_free(rescued_entry_);
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  absl::Status Open() {
    const int result = archive_read_open(archive_, this, nullptr, &Unpacker::ReadForArchive, nullptr);
    const std::string beginning = std::exchange(beginning_, std::nullopt).value_or("");
    if (IsSound(result)) {
      return absl::OkStatus();
    }
    if (status_.ok() && beginning.size() == static_cast<size_t>(read_)) {
      rescued_ = UnpackPartOfGzip(beginning);
    }
    if (rescued_.empty()) {
      return Error("is an archive that cannot be read");
    }
    rescued_entry_ = archive_entry_new();
    return absl::OkStatus();
  }

  // What follows the current file, of which the rest is passed over; `after` is its name, for messages.
  Step Next(absl::string_view after) {
    const NamesInUtf8 names_in_utf8;
    SkipRest();
    const bool damaged = !std::exchange(file_status_, absl::OkStatus()).ok();
    Step step;
    if (rescued_entry_ != nullptr) {
      unread_ = rescued_given_ == 0;
      step.entry = unread_ ? rescued_entry_ : nullptr;
      step.damage = unread_ ? absl::OkStatus() : Error("is an archive that is damaged or ends early");
      return step;
    }
    while (status_.ok()) {
      const int64_t position = Position();
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(archive_, &entry);
      if (IsSound(result)) {
        unread_ = archive_entry_is_data_encrypted(entry) == 0;
        step.entry = entry;
        return step;
      }
      if (result == ARCHIVE_EOF) {
        if (FormatIs(ARCHIVE_FORMAT_ZIP) && (FindFileInZip() == Found::kFile || !status_.ok())) {
          continue;  // Another zip after the end of this one.
        }
        if (step.damage.ok() && FormatIs(ARCHIVE_FORMAT_TAR) && Position() - position < kTarBlockBytes) {
          step.damage = common::WithReason(
              common::InvalidField("content", absl::StrCat("is a tar without the blocks that mark its end: it was cut "
                                                           "off",
                                                           after.empty() ? "" : " after ", after)),
              kMalformedArchive);
        }
        return step;
      }
      if (step.damage.ok()) {
        step.damage =
            Error(absl::StrCat("is an archive that is damaged or ends early", after.empty() ? "" : " after ", after));
      }
      if (result != ARCHIVE_FATAL && Position() > position) {
        continue;  // In a tar the next header may follow.
      }
      const Found found = FindFileInZip();
      if (damaged && found != Found::kNothing) {
        step.damage = absl::OkStatus();  // That of the file, which is known.
      }
      if (found != Found::kFile) {
        return step;
      }
    }
    step.damage = status_;
    return step;
  }

  // The single entry of a compressed file, which has no name.
  bool IsRaw() const { return rescued_entry_ != nullptr || archive_format(archive_) == ARCHIVE_FORMAT_RAW; }

  // What is wrong with the input or with how much it unpacks to: nothing more can be had.
  const absl::Status& status() const { return status_; }
  // The same, or what is wrong with the current file.
  const absl::Status& file_status() const { return status_.ok() ? file_status_ : status_; }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) {
    RETURN_IF_ERROR(file_status());
    if (rescued_entry_ != nullptr && rescued_given_ < rescued_.size()) {
      const size_t count = rescued_.copy(buffer, size, rescued_given_);
      rescued_given_ += count;
      return count;
    }
    const la_ssize_t got = rescued_entry_ != nullptr ? -1 : archive_read_data(archive_, buffer, size);
    unread_ = got > 0;
    if (got < 0) {  // A warning about data is a checksum that doesn't fit.
      file_status_ = Error("is damaged and cannot be unpacked");
      return file_status();
    }
    unpacked_ += got;
    if (unpacked_ > kFreeUnpackedBytes + kUnpackedBytesPerByte * read_) {
      status_ = common::WithReason(
          common::InvalidField("content", absl::StrCat("is an archive of which ", read_, " bytes unpack to more than ",
                                                       unpacked_, "; unpack it yourself if it is meant to")),
          kUnpacksTooLarge);
      return status_;
    }
    return static_cast<size_t>(got);
  }

 private:
  enum class Found { kFile, kEnd, kNothing };

  // Unpacks what is left of a file, and so counts it, which libarchive's own way to the next one would not.
  void SkipRest() {
    std::array<char, kReadBytes> dropped{};
    while (unread_ && Read(dropped.data(), dropped.size()).ok()) {
    }
  }

  bool FormatIs(int format) const { return (archive_format(archive_) & ARCHIVE_FORMAT_BASE_MASK) == format; }

  // How much of the input libarchive has used; of what is compressed, how much of what it unpacks to.
  int64_t Position() const { return origin_ + archive_filter_bytes(archive_, 0); }

  // Goes on at the next header of a file in a zip. libarchive finds it only if the header of the damaged file states
  // its length, which those that are written to a pipe state after the data; and it doesn't go on behind the directory,
  // where another zip may follow. kEnd: there are no more files, as a directory says.
  Found FindFileInZip() {
    if (!FormatIs(ARCHIVE_FORMAT_ZIP) || archive_filter_count(archive_) != 1) {
      return Found::kNothing;
    }
    const int64_t from = std::max(Position(), origin_ + 1) - (read_ - static_cast<int64_t>(held_));
    if (from < 0 || from > static_cast<int64_t>(held_)) {
      return Found::kNothing;
    }
    bool directory_seen = false;
    for (auto at = static_cast<size_t>(from);;) {
      const absl::string_view rest = absl::string_view(buffer_.data(), held_).substr(at);
      for (size_t sign = rest.find("PK"); sign != absl::string_view::npos; sign = rest.find("PK", sign + 1)) {
        const absl::string_view kind = rest.substr(sign + 2, 2);
        directory_seen = directory_seen || kind == "\x01\x02";  // It follows the files.
        if (kind == "\x03\x04") {
          return Resume(at + sign) ? Found::kFile : Found::kNothing;
        }
      }
      const size_t kept = std::min<size_t>(rest.size(), 3);  // It may be the beginning of a sign.
      std::memmove(buffer_.data(), rest.data() + rest.size() - kept, kept);
      const absl::StatusOr<size_t> got = input_.Read(buffer_.data() + kept, buffer_.size() - kept);
      if (!got.ok()) {
        status_ = got.status();
      }
      if (!got.ok() || *got == 0) {
        return got.ok() && directory_seen ? Found::kEnd : Found::kNothing;
      }
      read_ += static_cast<int64_t>(*got);
      held_ = kept + *got;
      at = 0;
    }
  }

  // Reads as a zip of its own what begins at `at` in the buffer.
  bool Resume(size_t at) {
    origin_ = read_ - static_cast<int64_t>(held_ - at);
    resume_ = at;
    archive_read_free(archive_);
    archive_ = archive_read_new();
    archive_read_support_format_zip_streamable(archive_);
    return IsSound(archive_read_open(archive_, this, nullptr, &Unpacker::ReadForArchive, nullptr));
  }

  static la_ssize_t ReadForArchive(archive* archive, void* unpacker, const void** buffer) {
    auto* const self = static_cast<Unpacker*>(unpacker);
    if (const std::optional<size_t> resume = std::exchange(self->resume_, std::nullopt)) {
      *buffer = self->buffer_.data() + *resume;
      return static_cast<la_ssize_t>(self->held_ - *resume);
    }
    if (absl::Status status = self->input_.Fill(1); !status.ok()) {
      self->status_ = std::move(status);
      archive_set_error(archive, EIO, "cannot be read");
      return -1;
    }
    const absl::string_view ready = self->input_.buffered();
    if (ready.empty()) {
      return 0;
    }
    // libarchive has a copy of what it still needs of the buffer.
    const size_t kept = std::min(self->held_, kKeptBytes);
    std::memmove(self->buffer_.data(), self->buffer_.data() + self->held_ - kept, kept);
    const size_t got = std::min(ready.size(), kReadBytes);
    if (self->beginning_ && self->beginning_->size() < kReadBytes) {
      self->beginning_->append(ready.data(), got);
    }
    std::memcpy(self->buffer_.data() + kept, ready.data(), got);
    self->input_.Consume(got);
    self->read_ += static_cast<int64_t>(got);
    self->held_ = kept + got;
    *buffer = self->buffer_.data() + kept;
    return static_cast<la_ssize_t>(got);
  }

  // What libarchive says is wrong.
  absl::Status Error(absl::string_view what) const {
    if (!status_.ok()) {
      return status_;
    }
    const char* const why = archive_error_string(archive_);
    const std::string reason = common::NormalizeLine(why == nullptr ? "" : why);
    return common::WithReason(
        common::InvalidField("content", absl::StrCat(what, reason.empty() ? "" : ": ",
                                                     reason.substr(0, common::CodePointFloor(reason, 160)))),
        kMalformedArchive);
  }

  Input input_;
  archive* archive_;
  std::array<char, kKeptBytes + kReadBytes> buffer_{};
  size_t held_ = 0;  // Bytes in the buffer, the last of those read.
  // What was read before the archive was open: of a small one all.
  std::optional<std::string> beginning_ = std::string();
  std::string rescued_;                     // What was unpacked of a compressed file that libarchive gives nothing of.
  archive_entry* rescued_entry_ = nullptr;  // Null unless there is such a file.
  size_t rescued_given_ = 0;
  std::optional<size_t> resume_;  // Where in the buffer libarchive is to go on.
  absl::Status status_;
  absl::Status file_status_;
  bool unread_ = false;  // There may be more of the current file.
  int64_t origin_ = 0;   // Where in the input what libarchive reads begins.
  int64_t read_ = 0;
  int64_t unpacked_ = 0;
};

class ArchiveReader final : public SourceReader {
 public:
  ArchiveReader(Input input, const SourceOptions& options)
      : SourceReader(Format::kArchive), options_(options), unpacker_(std::make_shared<Unpacker>(std::move(input))) {}

  std::optional<SourceItem> Next() override {
    while (!done_) {
      std::optional<SourceItem> item = inner_ != nullptr               ? NextOfFile()
                                       : unpacker_->file_status().ok() ? OpenNext()
                                                                       : EndOfDamaged();
      if (item) {
        return item;
      }
    }
    if (number_ > 0) {
      return std::nullopt;
    }
    return Failed("", common::WithReason(
                          common::InvalidField(
                              "content", "is an archive without files whose names say that they may hold articles"),
                          kNotAnArticle));
  }

 private:
  SourceItem Failed(std::string position, absl::Status status) {
    SourceItem item;
    item.number = ++number_;
    item.position = std::move(position);
    item.format = Format::kArchive;
    item.extraction = std::move(status);
    return item;
  }

  // The same where nobody knows what else is missing.
  SourceItem Broken(absl::Status status) {
    SourceItem item = Failed("", std::move(status));
    item.cuts_off = true;
    return item;
  }

  // Of a damaged file the last item is held back until it is known whether there are files after it.
  std::optional<SourceItem> NextOfFile() {
    std::optional<SourceItem> item = inner_->Next();
    AddSkipped(inner_->skipped() - std::exchange(inner_skipped_, inner_->skipped()));
    if (!item) {
      for (const std::string& note : inner_->notes()) {
        AddNote(compressed_file_ ? note : absl::StrCat("holds ", name_, ", which ", note));
      }
      inner_.reset();
      return std::nullopt;
    }
    item = Located(*std::move(item));
    if (!unpacker_->file_status().ok()) {
      std::swap(item, held_);
    }
    return item;
  }

  // That a file could not be unpacked, as its reader says; and if so, that it takes the rest of the archive with it.
  std::optional<SourceItem> EndOfDamaged() {
    if (!held_ || held_->extraction.ok()) {
      return std::exchange(held_, Failed(name_, unpacker_->file_status()));
    }
    std::optional<SourceItem> item = std::exchange(held_, std::nullopt);
    step_ = unpacker_->Next(name_);
    if (step_->entry == nullptr && !step_->damage.ok()) {
      done_ = true;
      item->cuts_off = true;
      if (unpacker_->status().ok() && !compressed_file_) {
        const absl::Status& error = item->extraction.status();
        item->extraction = common::WithReason(
            absl::Status(error.code(), absl::StrCat(error.message(), "; nothing after it in the archive can be read")),
            common::ReasonOf(error));
      }
    }
    return item;
  }

  // Opens the next file that may hold articles. What it returns is what is wrong with it, or with the archive there.
  std::optional<SourceItem> OpenNext() {
    if (!std::exchange(begun_, true)) {
      if (absl::Status status = unpacker_->Open(); !status.ok()) {
        done_ = true;
        return Broken(std::move(status));
      }
    }
    if (!step_) {
      step_ = unpacker_->Next(name_);
    }
    if (!step_->damage.ok()) {
      done_ = step_->entry == nullptr;
      return Broken(std::exchange(step_->damage, absl::OkStatus()));
    }
    archive_entry* const entry = std::exchange(step_, std::nullopt)->entry;
    if (entry == nullptr || !Enter(entry)) {
      done_ = entry == nullptr;
      return std::nullopt;
    }
    if (!compressed_file_ && name_.empty()) {
      return Failed("",
                    common::WithReason(common::InvalidField("content",
                                                            "is an archive with a file whose name cannot be read, so "
                                                            "that nobody knows what it holds; unpack it yourself"),
                                       kMalformedArchive));
    }
    if (is_encrypted_) {
      return Failed(name_, common::WithReason(common::InvalidField("content", "is encrypted; unpack it yourself"),
                                              kMalformedArchive));
    }
    SourceOptions options = options_;
    options.format = Format::kUnknown;
    options.media_type.clear();
    options.path = name_;
    options.archive_depth = options_.archive_depth + 1;
    // The address is that of the archive: right for what it holds if that is one compressed file, and else for none.
    if (!compressed_file_) {
      options.url.clear();
    }
    absl::StatusOr<std::unique_ptr<SourceReader>> opened = SourceReader::Open(
        [unpacker = unpacker_](char* buffer, size_t size) { return unpacker->Read(buffer, size); }, std::move(options));
    inner_skipped_ = 0;
    if (opened.ok()) {
      inner_ = *std::move(opened);
      return std::nullopt;
    }
    SourceItem item = Failed(name_, opened.status());
    if (unpacker_->file_status().ok()) {
      return item;
    }
    held_ = std::move(item);
    return std::nullopt;
  }

  // Takes the name of an entry. False if it is to be passed over.
  bool Enter(archive_entry* entry) {
    compressed_file_ = unpacker_->IsRaw();
    is_encrypted_ = archive_entry_is_data_encrypted(entry) != 0;
    if (compressed_file_) {
      name_ = InnerName(options_.path);
      return true;
    }
    if (archive_entry_filetype(entry) != AE_IFREG) {
      return false;
    }
    const NamesInUtf8 names_in_utf8;
    const char* const utf8 = archive_entry_pathname_utf8(entry);
    const char* const bytes = archive_entry_pathname(entry);
    name_ = common::NormalizeLine(utf8 != nullptr ? utf8 : bytes != nullptr ? bytes : "");
    // A resource fork that a Macintosh adds to each file is hidden, or lies in a folder of that name.
    if (name_.empty()) {
      return true;
    }
    if (!MayHoldArticles(name_) || absl::StartsWith(name_, "__MACOSX/")) {
      AddSkipped(1);
      return false;
    }
    return true;
  }

  SourceItem Located(SourceItem item) {
    item.number = ++number_;
    if (!compressed_file_) {
      item.position =
          item.position.empty() || item.position == "page" ? name_ : absl::StrCat(name_, ", ", item.position);
    }
    return item;
  }

  const SourceOptions options_;
  const std::shared_ptr<Unpacker> unpacker_;
  std::optional<Step> step_;  // Taken and not yet used.
  std::unique_ptr<SourceReader> inner_;
  int64_t inner_skipped_ = 0;
  std::optional<SourceItem> held_;  // The last item of a damaged file.
  std::string name_;                // Of the file being read, or read last.
  int64_t number_ = 0;
  bool compressed_file_ = false;
  bool is_encrypted_ = false;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> MakeArchiveReader(Input input, const SourceOptions& options) {
  return std::make_unique<ArchiveReader>(std::move(input), options);
}

}  // namespace dateline::extraction
