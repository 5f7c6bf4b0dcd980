#include "web_gateway/method_registry.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"

#include "common/status_macros.h"

namespace dateline::web_gateway {
namespace {

namespace pb = google::protobuf;

constexpr char kTypeUrlHost[] = "type.googleapis.com";

std::string TypeUrl(const pb::Descriptor& type) { return absl::StrCat(kTypeUrlHost, "/", type.full_name()); }

// Protobuf's string views are its own type or Abseil's, by version.
absl::string_view ToView(pb::StringPiece text) { return {text.data(), text.size()}; }

// Adds the files to the pool in the order that protoc gives them: imports first.
absl::Status BuildPool(absl::string_view descriptor_set, pb::DescriptorPool* pool,
                       std::vector<const pb::FileDescriptor*>* files) {
  pb::FileDescriptorSet set;
  if (!set.ParseFromArray(descriptor_set.data(), static_cast<int>(descriptor_set.size()))) {
    return absl::InvalidArgumentError("the descriptor set cannot be read: make it with protoc --descriptor_set_out");
  }
  for (const pb::FileDescriptorProto& proto : set.file()) {
    const pb::FileDescriptor* file = pool->BuildFile(proto);
    if (file == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("the descriptor set is not complete: ", proto.name(),
                                                     " needs a file that is missing; use --include_imports"));
    }
    files->push_back(file);
  }
  return absl::OkStatus();
}

Method MethodOf(const pb::MethodDescriptor& descriptor, const std::string& upstream) {
  Method method;
  method.name = absl::StrCat(descriptor.service()->full_name(), "/", descriptor.name());
  method.upstream = upstream;
  method.streaming = descriptor.client_streaming() || descriptor.server_streaming();
  method.side_effect_free = descriptor.options().idempotency_level() == pb::MethodOptions::NO_SIDE_EFFECTS;
  method.input = descriptor.input_type();
  method.output = descriptor.output_type();
  return method;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MethodRegistry>> MethodRegistry::Create(absl::string_view descriptor_set,
                                                                       const Options& options) {
  auto registry = std::unique_ptr<MethodRegistry>(new MethodRegistry());
  std::vector<const pb::FileDescriptor*> files;
  RETURN_IF_ERROR(BuildPool(descriptor_set, &registry->pool_, &files));
  for (const pb::FileDescriptor* file : files) {
    const auto route = std::find_if(options.routes.begin(), options.routes.end(),
                                    [file](const Route& r) { return r.package == file->package(); });
    if (route == options.routes.end()) {
      continue;
    }
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        Method method = MethodOf(*file->service(s)->method(m), route->upstream);
        registry->methods_.emplace(method.name, std::move(method));
      }
    }
  }
  for (const std::string& service : options.readable_services) {
    if (registry->pool_.FindServiceByName(service) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("there is no service ", service));
    }
    for (auto& [name, method] : registry->methods_) {
      method.allowed |= absl::StartsWith(name, service + "/") && method.side_effect_free && !method.streaming;
    }
  }
  for (const std::string& allow : options.allow) {
    bool found = false;
    for (auto& [name, method] : registry->methods_) {
      if (name == allow && method.streaming) {
        return absl::InvalidArgumentError(
            absl::StrCat("--allow: \"", allow, "\" streams; only unary methods are served"));
      }
      if (name == allow || absl::StartsWith(name, allow + "/")) {
        method.allowed |= !method.streaming;
        found = true;
      }
    }
    if (!found) {
      return absl::InvalidArgumentError(absl::StrCat("--allow: there is no service or method \"", allow,
                                                     "\"\n  There are: ", absl::StrJoin(registry->Services(), ", "),
                                                     "; and SERVICE/METHOD for one method of these"));
    }
  }
  registry->messages_ = std::make_unique<pb::DynamicMessageFactory>(&registry->pool_);
  registry->resolver_.reset(pb::util::NewTypeResolverForDescriptorPool(kTypeUrlHost, &registry->pool_));
  return registry;
}

const Method* MethodRegistry::Find(absl::string_view name) const {
  const auto found = methods_.find(name);
  return found == methods_.end() ? nullptr : &found->second;
}

std::vector<std::string> MethodRegistry::Services() const {
  std::set<std::string> names;
  for (const auto& [name, method] : methods_) {
    names.insert(name.substr(0, name.find('/')));
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> MethodRegistry::AllowedMethods() const {
  std::vector<std::string> names;
  for (const auto& [name, method] : methods_) {
    if (method.allowed) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::string> MethodRegistry::JsonToProto(const pb::Descriptor& type, absl::string_view json) const {
  // Unknown fields are errors, as protobuf's JSON mapping has it: a filter that is mistyped must not be no filter.
  // (With ignore_unknown_fields unknown names of enum values would pass as well.)
  const pb::util::JsonParseOptions options;
  std::string bytes;
  const auto status = pb::util::JsonToBinaryString(resolver_.get(), TypeUrl(type),
                                                   pb::StringPiece(json.data(), json.size()), &bytes, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the JSON is no ", type.full_name(), ": ", ToView(status.message())));
  }
  return bytes;
}

absl::StatusOr<std::string> MethodRegistry::ProtoToJson(const pb::Descriptor& type, const std::string& bytes) const {
  std::string json;
  const auto status = pb::util::BinaryToJsonString(resolver_.get(), TypeUrl(type), bytes, &json);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat("the answer cannot be written as JSON: ", ToView(status.message())));
  }
  return json;
}

absl::Status MethodRegistry::CheckProto(const pb::Descriptor& type, const std::string& bytes) const {
  const std::unique_ptr<pb::Message> message(messages_->GetPrototype(&type)->New());
  if (!message->ParseFromString(bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the bytes are no ", type.full_name(), ", or have text that is not UTF-8"));
  }
  return absl::OkStatus();
}

std::optional<std::string> MethodRegistry::AnyToJson(absl::string_view type_url, const std::string& bytes) const {
  const size_t slash = type_url.rfind('/');
  const pb::Descriptor* type = pool_.FindMessageTypeByName(
      std::string(slash == absl::string_view::npos ? type_url : type_url.substr(slash + 1)));
  if (type == nullptr) {
    return std::nullopt;
  }
  absl::StatusOr<std::string> json = ProtoToJson(*type, bytes);
  return json.ok() ? std::optional<std::string>(*std::move(json)) : std::nullopt;
}

std::string TopLevelString(const pb::Descriptor& type, const std::string& bytes, absl::string_view field) {
  const pb::FieldDescriptor* descriptor = type.FindFieldByName(std::string(field));
  if (descriptor == nullptr || descriptor->type() != pb::FieldDescriptor::TYPE_STRING || descriptor->is_repeated()) {
    return "";
  }
  // Reading all as unknown fields splits the top level only: nested messages stay bytes.
  pb::UnknownFieldSet fields;
  if (!fields.ParseFromString(bytes)) {
    return "";
  }
  std::string value;
  for (int i = 0; i < fields.field_count(); ++i) {
    const pb::UnknownField& candidate = fields.field(i);
    if (candidate.number() == descriptor->number() && candidate.type() == pb::UnknownField::TYPE_LENGTH_DELIMITED) {
      value = candidate.length_delimited();
    }
  }
  return value;
}

}  // namespace dateline::web_gateway
