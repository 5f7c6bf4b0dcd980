// The descriptors of all contracts, compiled into the binary.
#ifndef DATELINE_WEB_GATEWAY_DESCRIPTOR_SET_H_
#define DATELINE_WEB_GATEWAY_DESCRIPTOR_SET_H_

#include <vector>

#include "web_gateway/static_site.h"

namespace dateline::web_gateway {

// One file: a serialised google.protobuf.FileDescriptorSet of proto/ and of google/rpc/error_details.proto (so that
// error details can be shown as JSON), with all imports. Defined in the file that embed.cmake writes.
std::vector<StaticSite::File> DescriptorSet();

}  // namespace dateline::web_gateway

#endif  // DATELINE_WEB_GATEWAY_DESCRIPTOR_SET_H_
