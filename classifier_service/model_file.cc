#include "classifier_service/model_file.h"

#include <zstd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <ios>
#include <system_error>

#include "absl/strings/str_cat.h"

#include "common/status_macros.h"

namespace dateline::classifier {

absl::Status CorruptModel(const ModelFileKind& kind, absl::string_view source, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(kind.name, " ", source, ": ", what, kind.remedy));
}

absl::Status ForeignModel(const ModelFileKind& kind, absl::string_view source, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(kind.name, " ", source, ": ", what, kind.remedy));
}

std::string PackModel(const ModelFileKind& kind, absl::string_view message) {
  std::string frame(ZSTD_compressBound(message.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kind.compression_level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  const size_t size = ZSTD_compress2(context, frame.data(), frame.size(), message.data(), message.size());
  ZSTD_freeCCtx(context);
  frame.resize(size);  // Never an error: the frame has room for the bound.
  return absl::StrCat(kind.magic, frame);
}

absl::StatusOr<std::string> UnpackModel(const ModelFileKind& kind, absl::string_view bytes, absl::string_view source) {
  if (bytes.substr(0, kind.magic.size()) != kind.magic) {
    return ForeignModel(kind, source, absl::StrCat("this is no ", kind.name));
  }
  bytes.remove_prefix(kind.magic.size());
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kind.max_message_bytes) {
    return CorruptModel(kind, source, "truncated or corrupted");
  }
  std::string message(static_cast<size_t>(size), '\0');
  const size_t unpacked = ZSTD_decompress(message.data(), message.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != message.size()) {
    return CorruptModel(kind, source, "truncated or corrupted (the checksum does not hold)");
  }
  return message;
}

absl::StatusOr<std::string> ReadModelFile(const ModelFileKind& kind, const std::string& path) {
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (!file || error) {
    return absl::NotFoundError(absl::StrCat(kind.name, ": cannot read \"", path, "\"", kind.remedy));
  }
  if (size > kind.max_file_bytes) {
    return ForeignModel(kind, path, absl::StrCat("this is no ", kind.name));
  }
  std::string bytes(static_cast<size_t>(size), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

absl::Status WriteModelFile(const ModelFileKind& kind, const std::string& path, absl::string_view bytes) {
  const std::string temporary = absl::StrCat(path, ".new");
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
      return absl::UnavailableError(
          absl::StrCat(kind.name, ": cannot write \"", temporary, "\"; check that the folder exists and has room"));
    }
  }
  return RenameModelFile(kind, temporary, path);
}

absl::Status RenameModelFile(const ModelFileKind& kind, const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(kind.name, ": cannot put \"", to, "\" in place; check who may write it"));
}

namespace {

constexpr char kPrevious[] = ".previous";

// Makes `copy` another name of the file at `path`, or a copy where a file can't have two names.
absl::Status KeepAs(const ModelFileKind& kind, const std::string& path, const std::string& copy) {
  std::error_code error;
  std::filesystem::remove(copy, error);
  std::filesystem::create_hard_link(path, copy, error);
  if (error) {
    error.clear();
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing, error);
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat(kind.name, ": cannot keep \"", path, "\" as \"", copy,
                                               "\": ", error.message(), "; check who may write there"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status KeepPreviousModel(const ModelFileKind& kind, const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::OkStatus();
  }
  return KeepAs(kind, path, absl::StrCat(path, kPrevious));
}

absl::StatusOr<std::string> PreviousModelPath(const std::string& path) {
  std::string previous = absl::StrCat(path, kPrevious);
  std::error_code error;
  if (!std::filesystem::exists(previous, error)) {
    return absl::NotFoundError(absl::StrCat("there is no \"", previous, "\": no model was published over \"", path,
                                            "\", so there is none to bring back; check the path"));
  }
  return previous;
}

bool SaysItIs(const ModelFileKind& kind, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic(kind.magic.size(), '\0');
  return file.read(magic.data(), static_cast<std::streamsize>(magic.size())) && magic == kind.magic;
}

absl::Status SwapWithPreviousModel(const ModelFileKind& kind, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string previous, PreviousModelPath(path));
  const std::string current = absl::StrCat(path, ".current");
  RETURN_IF_ERROR(KeepAs(kind, path, current));
  RETURN_IF_ERROR(RenameModelFile(kind, previous, path));
  return RenameModelFile(kind, current, previous);
}

}  // namespace dateline::classifier
