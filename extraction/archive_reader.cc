#include "extraction/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
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
  }
  ~Unpacker() { archive_read_free(archive_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  absl::Status Open() { return Check(archive_read_open(archive_, this, nullptr, &Unpacker::ReadForArchive, nullptr)); }

  // The next file or folder; null at the end. Valid until the next call.
  absl::StatusOr<archive_entry*> NextEntry() {
    RETURN_IF_ERROR(SkipRest());
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(archive_, &entry);
    if (result == ARCHIVE_EOF) {
      return nullptr;
    }
    RETURN_IF_ERROR(Check(result));
    unread_ = archive_entry_is_data_encrypted(entry) == 0;
    return entry;
  }

  // The single entry of a compressed file, which has no name.
  bool IsRaw() const { return archive_format(archive_) == ARCHIVE_FORMAT_RAW; }

  // True once nothing more can be had.
  bool IsBroken() const { return !failure_.ok(); }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) {
    RETURN_IF_ERROR(failure_);
    const la_ssize_t got = archive_read_data(archive_, buffer, size);
    if (got < 0) {
      // A warning about data is a checksum that doesn't fit. Others may still be read, unless it is the end of all.
      unread_ = false;
      const absl::Status error = Error();
      if (got == ARCHIVE_FATAL) {
        failure_ = error;
      }
      return error;
    }
    unread_ = got > 0;
    unpacked_ += got;
    if (unpacked_ > kFreeUnpackedBytes + kUnpackedBytesPerByte * read_) {
      failure_ = common::WithReason(
          common::InvalidField("content", absl::StrCat("is an archive of which ", read_, " bytes unpack to more than ",
                                                       unpacked_, "; unpack it yourself if it is meant to")),
          kUnpacksTooLarge);
      return failure_;
    }
    return static_cast<size_t>(got);
  }

 private:
  // Unpacks what is left of a file, and so counts it, which libarchive's own way to the next one would not.
  absl::Status SkipRest() {
    std::array<char, kReadBytes> dropped{};
    while (unread_) {
      ASSIGN_OR_RETURN(const size_t got, Read(dropped.data(), dropped.size()));
      unread_ = got > 0;
    }
    return absl::OkStatus();
  }

  static la_ssize_t ReadForArchive(archive* /*archive*/, void* unpacker, const void** buffer) {
    auto* const self = static_cast<Unpacker*>(unpacker);
    const absl::StatusOr<size_t> got = self->input_.Read(self->buffer_.data(), self->buffer_.size());
    if (!got.ok()) {
      self->failure_ = got.status();
      archive_set_error(self->archive_, EIO, "cannot be read");
      return -1;
    }
    self->read_ += static_cast<int64_t>(*got);
    *buffer = self->buffer_.data();
    return static_cast<la_ssize_t>(*got);
  }

  // What comes after a warning is sound; names in an unknown charset are the usual one.
  absl::Status Check(int result) { return result == ARCHIVE_OK || result == ARCHIVE_WARN ? absl::OkStatus() : Error(); }

  absl::Status Error() const {
    if (!failure_.ok()) {
      return failure_;
    }
    const char* const why = archive_error_string(archive_);
    const std::string reason = common::NormalizeLine(why == nullptr ? "" : why);
    return common::WithReason(
        common::InvalidField("content", absl::StrCat("is an archive that cannot be read", reason.empty() ? "" : ": ",
                                                     reason.substr(0, common::CodePointFloor(reason, 160)))),
        kMalformedArchive);
  }

  Input input_;
  archive* const archive_;
  std::array<char, kReadBytes> buffer_{};
  absl::Status failure_;  // Of the input, or too much was unpacked.
  bool unread_ = false;   // There may be more of the current file.
  int64_t read_ = 0;
  int64_t unpacked_ = 0;
};

class ArchiveReader final : public SourceReader {
 public:
  ArchiveReader(Input input, const SourceOptions& options)
      : SourceReader(Format::kArchive), options_(options), unpacker_(std::make_shared<Unpacker>(std::move(input))) {}

  std::optional<SourceItem> Next() override {
    while (!done_) {
      if (inner_ != nullptr) {
        if (std::optional<SourceItem> item = inner_->Next()) {
          AddSkipped(inner_->skipped() - std::exchange(inner_skipped_, inner_->skipped()));
          ++number_;
          return Located(*std::move(item));
        }
        AddSkipped(inner_->skipped() - inner_skipped_);
        inner_.reset();
        if (unpacker_->IsBroken()) {
          done_ = true;  // The last item has said so.
          break;
        }
      }
      absl::StatusOr<bool> opened = OpenNext();
      if (!opened.ok()) {
        // A file that can't be read harms no other, but what went wrong with the archive itself ends it.
        ++number_;
        return Failed(opened.status());
      }
      if (!*opened) {
        done_ = true;
      }
    }
    if (number_ > 0 || std::exchange(finished_, true)) {
      return std::nullopt;
    }
    name_.clear();
    return Failed(common::WithReason(
        common::InvalidField("content", "is an archive without files whose names say that they may hold articles"),
        kNotAnArticle));
  }

 private:
  SourceItem Failed(absl::Status status) const {
    SourceItem item;
    item.number = number_;
    item.position = name_;
    item.format = Format::kArchive;
    item.extraction = std::move(status);
    return item;
  }

  // Opens the next file that may hold articles. False at the end.
  absl::StatusOr<bool> OpenNext() {
    if (!std::exchange(begun_, true)) {
      if (absl::Status status = unpacker_->Open(); !status.ok()) {
        done_ = true;
        return status;
      }
    }
    while (true) {
      absl::StatusOr<archive_entry*> entry = unpacker_->NextEntry();
      if (!entry.ok()) {
        done_ = true;
        return entry.status();
      }
      if (*entry == nullptr) {
        return false;
      }
      if (!Enter(*entry)) {
        continue;
      }
      break;
    }
    if (archive_entry_is_encrypted_) {
      return common::WithReason(common::InvalidField("content", "is encrypted; unpack it yourself"), kMalformedArchive);
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
    ASSIGN_OR_RETURN(inner_, SourceReader::Open([unpacker = unpacker_](
                                                    char* buffer, size_t size) { return unpacker->Read(buffer, size); },
                                                std::move(options)));
    inner_skipped_ = 0;
    return true;
  }

  // Takes the name of an entry. False if it is to be passed over.
  bool Enter(archive_entry* entry) {
    compressed_file_ = unpacker_->IsRaw();
    archive_entry_is_encrypted_ = archive_entry_is_data_encrypted(entry) != 0;
    if (compressed_file_) {
      name_ = InnerName(options_.path);
      return true;
    }
    if (archive_entry_filetype(entry) != AE_IFREG) {
      return false;
    }
    const char* const utf8 = archive_entry_pathname_utf8(entry);
    const char* const bytes = archive_entry_pathname(entry);
    name_ = common::NormalizeLine(utf8 != nullptr ? utf8 : bytes != nullptr ? bytes : "");
    // A resource fork that a Macintosh adds to each file is hidden, or lies in a folder of that name.
    if (!MayHoldArticles(name_) || absl::StartsWith(name_, "__MACOSX/")) {
      AddSkipped(1);
      return false;
    }
    return true;
  }

  SourceItem Located(SourceItem item) const {
    item.number = number_;
    if (!compressed_file_) {
      item.position =
          item.position.empty() || item.position == "page" ? name_ : absl::StrCat(name_, ", ", item.position);
    }
    return item;
  }

  const SourceOptions options_;
  const std::shared_ptr<Unpacker> unpacker_;
  std::unique_ptr<SourceReader> inner_;
  int64_t inner_skipped_ = 0;
  std::string name_;  // Of the file being read.
  int64_t number_ = 0;
  bool compressed_file_ = false;
  bool archive_entry_is_encrypted_ = false;
  bool begun_ = false;
  bool done_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> MakeArchiveReader(Input input, const SourceOptions& options) {
  return std::make_unique<ArchiveReader>(std::move(input), options);
}

}  // namespace dateline::extraction
