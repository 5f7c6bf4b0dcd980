dateline_library(common_rpc
  SOURCES rpc/address.cc rpc/channel.cc rpc/message.cc rpc/server.cc rpc/signals.cc rpc/status.cc rpc/unary.cc
  HEADERS rpc/address.h rpc/channel.h rpc/message.h rpc/server.h rpc/signals.h rpc/status.h rpc/unary.h
  DEPS common_base gRPC::grpc++ protobuf::libprotobuf
  PRIVATE_DEPS google_rpc_proto gRPC::grpc++_reflection)
