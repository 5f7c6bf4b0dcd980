# classifier_rpc: handler and mapping, linked by the server and by tests. classifier_service: the server.
dateline_library(classifier_rpc
  SOURCES classifier_handler.cc classifier_proto.cc
  HEADERS classifier_handler.h classifier_proto.h
  DEPS classifier_core extraction extraction_proto classifier_grpc common_rpc item_error)

dateline_binary(classifier_service SOURCES main.cc DEPS classifier_rpc common_program)

# The programs look for their data in ../share/dateline beside them, in the build tree as where they are installed.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/share")
file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/data" "${CMAKE_BINARY_DIR}/share/dateline" SYMBOLIC)

dateline_test(classifier_rpc_test
  SOURCES classifier_handler_test.cc
  DEPS classifier_rpc test_support)
