// Which methods there are, which of them browsers may call, and how their messages read as JSON: all of it from
// descriptors, so that a new method needs no new code here.
#ifndef DATELINE_WEB_GATEWAY_METHOD_REGISTRY_H_
#define DATELINE_WEB_GATEWAY_METHOD_REGISTRY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/type_resolver.h"

namespace dateline::web_gateway {

// A method of a service.
struct Method {
  // `package.Service/Method`: the path of a request without its first slash.
  std::string name;
  // Which upstream serves it.
  std::string upstream;
  // Whether callers of the gateway may call it.
  bool allowed = false;
  // Whether it, or its client, streams. Such methods are never allowed.
  bool streaming = false;
  // Whether it may be called by GET: its `idempotency_level` is `NO_SIDE_EFFECTS`.
  bool side_effect_free = false;
  const google::protobuf::Descriptor* input = nullptr;
  const google::protobuf::Descriptor* output = nullptr;
};

// Thread-safe: nothing changes after Create().
class MethodRegistry {
 public:
  // Services of a package are served by an upstream.
  struct Route {
    std::string package;
    std::string upstream;
  };
  struct Options {
    // Methods of other packages do not exist for callers.
    std::vector<Route> routes;
    // `package.Service`: all its methods free of side effects are allowed.
    std::vector<std::string> readable_services;
    // `package.Service/Method`, or `package.Service` for all its unary methods: allowed as well.
    std::vector<std::string> allow;
  };

  // `descriptor_set` is a serialised google.protobuf.FileDescriptorSet with all imports, as protoc writes it. Fails
  // with InvalidArgument if it is not complete, or if `options` name a service or method that is not in it or that
  // streams.
  static absl::StatusOr<std::unique_ptr<MethodRegistry>> Create(absl::string_view descriptor_set,
                                                                const Options& options);

  // Returns null where there is no such method. The result lives as long as the registry.
  const Method* Find(absl::string_view name) const;

  // The services by name ("package.Service"), in alphabetical order.
  std::vector<std::string> Services() const;

  // The allowed methods by name, in alphabetical order.
  std::vector<std::string> AllowedMethods() const;

  // Converts a message of type `type` by proto3's JSON mapping. Reading takes lowerCamelCase and the original names,
  // and passes over fields it does not know; it fails with InvalidArgument where the JSON is broken or of another
  // shape. Writing gives lowerCamelCase, leaves out defaults, and is valid UTF-8 whatever the message holds; of bytes
  // that are cut off it writes what is there, and it fails with Internal where a field cannot be written at all.
  absl::StatusOr<std::string> JsonToProto(const google::protobuf::Descriptor& type, absl::string_view json) const;
  absl::StatusOr<std::string> ProtoToJson(const google::protobuf::Descriptor& type, const std::string& bytes) const;

  // InvalidArgument where `bytes` is no message of type `type`, or has text that is not UTF-8. Upstreams would say so
  // less clearly.
  absl::Status CheckProto(const google::protobuf::Descriptor& type, const std::string& bytes) const;

  // The JSON of a message given by the type URL of a google.protobuf.Any; nothing where the type is not known.
  std::optional<std::string> AnyToJson(absl::string_view type_url, const std::string& bytes) const;

 private:
  MethodRegistry() = default;

  google::protobuf::DescriptorPool pool_;
  // Thread-safe, though not const.
  std::unique_ptr<google::protobuf::DynamicMessageFactory> messages_;
  std::unique_ptr<google::protobuf::util::TypeResolver> resolver_;
  absl::flat_hash_map<std::string, Method> methods_;
};

// Returns the value of the string field called `field` at the top of a message of type `type`; empty where the type
// has no such field, the message does not set it, or `bytes` is no message.
std::string TopLevelString(const google::protobuf::Descriptor& type, const std::string& bytes, absl::string_view field);

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_METHOD_REGISTRY_H_
