#include "extraction/text_stream.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <array>
#include <cstddef>
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
#include "absl/strings/strip.h"

#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/charset.h"

namespace dateline::extraction {
namespace {

constexpr size_t kReadBytes = 65'536;
constexpr size_t kPrologBytes = 4096;  // Where a text declares its own charset.
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

struct ConverterCloser {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, ConverterCloser>;

Converter OpenConverter(const std::string& charset) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(charset.c_str(), &error));
  return U_SUCCESS(error) ? std::move(converter) : nullptr;
}

// Bytes that say nothing about the charset: all but a few have them.
bool IsNeutral(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) == 0 && c != '\0' && c != '\x1B'; });
}

// `bytes` without a sequence of UTF-8 that has begun but not ended.
absl::string_view WithoutOpenSequence(absl::string_view bytes) {
  for (size_t back = 1; back <= std::min<size_t>(3, bytes.size()); ++back) {
    const auto c = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if (c < 0x80) {
      break;
    }
    if (c >= 0xC0) {
      const size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
      return length > back ? bytes.substr(0, bytes.size() - back) : bytes;
    }
  }
  return bytes;
}

class Utf8Reader {
 public:
  Utf8Reader(Input input, std::string declared) : input_(std::move(input)), declared_(std::move(declared)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) {
    while (given_ == ready_.size()) {
      ready_.clear();
      given_ = 0;
      RETURN_IF_ERROR(input_.Fill(kReadBytes));
      const absl::string_view bytes = input_.buffered().substr(0, kReadBytes);
      const bool last = input_.ended() && bytes.size() == input_.buffered().size();
      if (bytes.empty() && (!started_ || flushed_)) {
        return 0;
      }
      RETURN_IF_ERROR(Decode(bytes, last));
    }
    const size_t count = std::min(size, ready_.size() - given_);
    std::memcpy(buffer, ready_.data() + given_, count);
    given_ += count;
    return count;
  }

 private:
  // Decodes `bytes`, the beginning of what is buffered, or a part of them into `ready_`.
  absl::Status Decode(absl::string_view bytes, bool last) {
    const bool first = !std::exchange(started_, true);
    if (first) {
      prolog_ = std::string(bytes.substr(0, kPrologBytes));
    }
    if (charset_.empty() && !IsNeutral(bytes)) {
      const absl::string_view sample = last ? bytes : WithoutOpenSequence(bytes);
      charset_ = DecodeText(first ? std::string(sample) : absl::StrCat(prolog_, "\n", sample), declared_).charset;
    }
    if (charset_.empty() || charset_ == "utf-8") {
      const absl::string_view whole = last ? bytes : WithoutOpenSequence(bytes);
      if (!carried_ && common::IsValidUtf8(whole)) {
        ready_ = std::string(whole);
        input_.Consume(whole.size());
        flushed_ = last;
        return Begin(first);
      }
    }
    RETURN_IF_ERROR(Convert(bytes, last));
    input_.Consume(bytes.size());
    flushed_ = last;
    return Begin(first);
  }

  // Without the mark that a text may begin with.
  absl::Status Begin(bool first) {
    if (first && absl::StartsWith(ready_, kByteOrderMark)) {
      given_ = sizeof(kByteOrderMark) - 1;
    }
    return absl::OkStatus();
  }

  // Through UTF-16, keeping between calls what a piece has left open.
  absl::Status Convert(absl::string_view bytes, bool last) {
    if (from_ == nullptr) {
      from_ = OpenConverter(charset_.empty() ? "utf-8" : charset_);
      to_ = OpenConverter("utf-8");
      if (from_ == nullptr || to_ == nullptr) {
        return absl::InternalError(absl::StrCat("the charset ", charset_, " cannot be read"));
      }
    }
    carried_ = true;
    const char* source = bytes.data();
    const char* const end = bytes.data() + bytes.size();
    std::array<char, 8192> piece{};
    while (true) {
      UErrorCode error = U_ZERO_ERROR;
      char* target = piece.data();
      ucnv_convertEx(to_.get(), from_.get(), &target, piece.data() + piece.size(), &source, end, pivot_.data(),
                     &pivot_source_, &pivot_target_, pivot_.data() + pivot_.size(), 0, last ? 1 : 0, &error);
      ready_.append(piece.data(), static_cast<size_t>(target - piece.data()));
      if (error == U_BUFFER_OVERFLOW_ERROR) {
        continue;
      }
      return U_FAILURE(error) ? absl::DataLossError(absl::StrCat("cannot be read as ", charset_)) : absl::OkStatus();
    }
  }

  Input input_;
  const std::string declared_;
  std::string prolog_;
  std::string charset_;  // Empty while nothing but ASCII was seen.
  std::string ready_;    // Decoded; from `given_` on not yet handed out.
  size_t given_ = 0;
  bool started_ = false;
  bool flushed_ = false;  // Everything was decoded.
  bool carried_ = false;  // The converters have begun, and may hold what a piece has left open.
  Converter from_;
  Converter to_;
  std::array<UChar, 4096> pivot_{};
  UChar* pivot_source_ = pivot_.data();
  UChar* pivot_target_ = pivot_.data();
};

}  // namespace

absl::Status Input::Fill(size_t size) {
  while (!ended_ && buffer_.size() - start_ < size) {
    ReadMore();
  }
  return buffered().empty() ? status_ : absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> Input::ReadLine(size_t limit) {
  size_t searched = 0;
  while (true) {
    const size_t end = buffered().find('\n', searched);
    if (end != absl::string_view::npos) {
      std::string line(buffered().substr(0, std::min(end, limit) + 1));
      Consume(end + 1);
      return std::optional<std::string>(std::move(line));
    }
    searched = buffered().size();
    if (searched > limit) {
      std::string line(buffered().substr(0, limit + 1));
      RETURN_IF_ERROR(SkipLine());
      return std::optional<std::string>(std::move(line));
    }
    if (ended_) {
      RETURN_IF_ERROR(status_);
      if (searched == 0) {
        return std::optional<std::string>();
      }
      std::string line(buffered());
      Consume(searched);
      return std::optional<std::string>(std::move(line));
    }
    ReadMore();
  }
}

absl::StatusOr<std::string> Input::ReadAll(size_t limit) {
  RETURN_IF_ERROR(Fill(limit + 1));
  if (buffered().size() <= limit) {
    RETURN_IF_ERROR(status_);
  }
  std::string all(buffered().substr(0, limit + 1));
  Consume(all.size());
  return all;
}

absl::StatusOr<size_t> Input::Read(char* buffer, size_t size) {
  RETURN_IF_ERROR(Fill(1));
  const size_t count = std::min(size, buffered().size());
  std::memcpy(buffer, buffered().data(), count);
  Consume(count);
  return count;
}

void Input::ReadMore() {
  if (start_ > 0) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  const size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  absl::StatusOr<size_t> read = read_(buffer_.data() + size, kReadBytes);
  buffer_.resize(size + (read.ok() ? std::min(*read, kReadBytes) : 0));
  status_ = read.status();
  ended_ = !read.ok() || *read == 0;
}

absl::Status Input::SkipLine() {
  while (true) {
    const size_t end = buffered().find('\n');
    if (end != absl::string_view::npos) {
      Consume(end + 1);
      return absl::OkStatus();
    }
    Consume(buffered().size());
    if (ended_) {
      return status_;
    }
    ReadMore();
  }
}

ReadFunction ReadAsUtf8(Input input, std::string declared) {
  auto reader = std::make_shared<Utf8Reader>(std::move(input), std::move(declared));
  return [reader](char* buffer, size_t size) { return reader->Read(buffer, size); };
}

}  // namespace dateline::extraction
