#include "common/rpc/message.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/proto_buffer_reader.h"

#include "common/error.h"
#include "common/rpc/status.h"
#include "common/text.h"

namespace dateline::common::rpc {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::UnknownField;
using ::google::protobuf::UnknownFieldSet;

// Protobuf itself refuses to parse deeper than this.
constexpr int kMaxDepth = 100;

// The path of the first string in `fields` that is not UTF-8; empty if there is none. `fields` are those of a message
// of type `type`, parsed without knowing it.
std::string FindBrokenString(const UnknownFieldSet& fields, const Descriptor& type, absl::string_view path, int depth) {
  std::map<int, int> seen;  // How many elements of each repeated field came before.
  for (int i = 0; i < fields.field_count() && depth < kMaxDepth; ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* descriptor = type.FindFieldByNumber(field.number());
    if (descriptor == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    std::string name = absl::StrCat(path, path.empty() ? "" : ".", descriptor->name());
    if (descriptor->is_repeated()) {
      absl::StrAppend(&name, "[", seen[field.number()]++, "]");
    }
    if (descriptor->type() == FieldDescriptor::TYPE_STRING) {
      if (!IsValidUtf8(field.length_delimited())) {
        return name;
      }
    } else if (descriptor->type() == FieldDescriptor::TYPE_MESSAGE) {
      UnknownFieldSet inner;
      if (inner.ParseFromString(field.length_delimited())) {
        std::string found = FindBrokenString(inner, *descriptor->message_type(), name, depth + 1);
        if (!found.empty()) {
          return found;
        }
      }
    }
  }
  return "";
}

absl::Status BrokenString(absl::string_view field) {
  return WithReason(InvalidField(field, "must be UTF-8; bytes in another encoding travel as a raw document"),
                    "INVALID_UTF8");
}

absl::Status DescribeFailure(grpc::ByteBuffer bytes, const Descriptor& type) {
  UnknownFieldSet fields;
  grpc::ProtoBufferReader reader(&bytes);
  if (reader.status().ok() && fields.ParseFromZeroCopyStream(&reader)) {
    const std::string field = FindBrokenString(fields, type, "", 0);
    if (!field.empty()) {
      return BrokenString(field);
    }
  }
  return WithReason(
      absl::InvalidArgumentError(absl::StrCat("the request is not a valid ", type.full_name(), " message")),
      "MALFORMED_MESSAGE");
}

std::string SerializeUnknown(const UnknownFieldSet& fields) {
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

}  // namespace

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ByteBuffer copy(bytes);  // Shares the memory: reading needs a buffer that is not const.
  if (!copy.Valid()) {
    message.Clear();  // No bytes at all are an empty message.
    return absl::OkStatus();
  }
  {
    grpc::ProtoBufferReader reader(&copy);
    if (!reader.status().ok()) {
      return FromGrpcStatus(reader.status());
    }
    if (message.ParseFromZeroCopyStream(&reader)) {
      return absl::OkStatus();
    }
  }
  return DescribeFailure(bytes, *message.GetDescriptor());
}

absl::Status ParseBatch(const grpc::ByteBuffer& bytes, absl::string_view items, google::protobuf::Message& message,
                        std::map<int, absl::Status>& broken) {
  broken.clear();
  absl::Status status = ParseMessage(bytes, message);
  if (status.ok()) {
    return status;
  }
  // Once more, as a message of which nothing is known: strings are bytes then.
  const FieldDescriptor& field = *message.GetDescriptor()->FindFieldByName(std::string(items));
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  UnknownFieldSet fields;
  if (!reader.status().ok() || !fields.ParseFromZeroCopyStream(&reader)) {
    return status;
  }
  int index = -1;
  for (int i = 0; i < fields.field_count(); ++i) {
    UnknownField& item = *fields.mutable_field(i);
    if (item.number() != field.number() || item.type() != UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    ++index;
    UnknownFieldSet inner;
    if (!inner.ParseFromString(item.length_delimited())) {
      continue;
    }
    const std::string path = FindBrokenString(inner, *field.message_type(), "", 1);
    if (!path.empty()) {
      broken.emplace(index, BrokenString(path));
      item.mutable_length_delimited()->clear();
    }
  }
  if (broken.empty() || !message.ParseFromString(SerializeUnknown(fields))) {
    broken.clear();
    return status;
  }
  return absl::OkStatus();
}

absl::Status SerializeMessage(const google::protobuf::Message& message, grpc::ByteBuffer& bytes) {
  if (const size_t size = message.ByteSizeLong(); size > kMaxResponseBytes) {
    return WithReason(
        absl::ResourceExhaustedError(absl::StrCat("the answer has ", size, " bytes, more than the limit of ",
                                                  kMaxResponseBytes, ": ask for less at a time")),
        "RESPONSE_TOO_LARGE");
  }
  bool owned = false;
  return FromGrpcStatus(
      grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(message, &bytes, &owned));
}

}  // namespace dateline::common::rpc
