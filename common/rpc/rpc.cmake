dateline_library(common_rpc
  SOURCES rpc/address.cc rpc/channel.cc rpc/message.cc rpc/server.cc rpc/signals.cc rpc/status.cc rpc/timestamp.cc rpc/unary.cc
  HEADERS rpc/address.h rpc/channel.h rpc/message.h rpc/server.h rpc/signals.h rpc/status.h rpc/timestamp.h rpc/unary.h
  DEPS common_base gRPC::grpc++ protobuf::libprotobuf
  PRIVATE_DEPS google_rpc_proto gRPC::grpc++_reflection)

if(DATELINE_BUILD_TESTS)
  dateline_proto_library(common_rpc_test_proto
    PROTOS common/rpc/test_service.proto IMPORT_DIRS "${PROJECT_SOURCE_DIR}")
  dateline_grpc_library(common_rpc_test_grpc
    PROTOS common/rpc/test_service.proto IMPORT_DIRS "${PROJECT_SOURCE_DIR}" DEPS common_rpc_test_proto)
  dateline_test(common_rpc_test
    SOURCES rpc/address_test.cc rpc/message_test.cc rpc/server_test.cc rpc/signals_test.cc rpc/status_test.cc
            rpc/timestamp_test.cc rpc/unary_test.cc
    DEPS common_rpc common_rpc_test_grpc google_rpc_proto test_support)
endif()

# The error of one item of a batch: the one thing in common that knows a message of the contracts.
dateline_library(item_error SOURCES rpc/item_error.cc HEADERS rpc/item_error.h DEPS common_base article_proto)
