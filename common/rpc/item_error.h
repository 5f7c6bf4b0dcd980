// The error of one item in a batch, from the status that the core gave.
#ifndef DATELINE_COMMON_RPC_ITEM_ERROR_H_
#define DATELINE_COMMON_RPC_ITEM_ERROR_H_

#include "absl/status/status.h"

#include "dateline/article/v1/article.pb.h"

namespace dateline::common::rpc {

// Code, reason, message, field violations and retry delay of `status`, which must not be OK.
article::v1::ItemError ToItemError(const absl::Status& status);

// The way back, for clients.
absl::Status FromItemError(const article::v1::ItemError& error);

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_ITEM_ERROR_H_
