# search_rpc: handlers and mapping. classifier_client: the classifier service as the core wants it.
# search_service: the server.
dateline_library(search_rpc
  SOURCES admin_handler.cc article_proto.cc ingest_handler.cc ingest_stream.cc search_handler.cc search_proto.cc
  HEADERS admin_handler.h article_proto.h document_extractor.h ingest_handler.h ingest_stream.h search_handler.h search_proto.h
  DEPS search_core search_grpc common_rpc item_error)

dateline_library(classifier_client
  SOURCES classifier_client.cc
  HEADERS classifier_client.h
  DEPS search_rpc classifier_grpc)

dateline_binary(search_service SOURCES main.cc DEPS search_rpc classifier_client common_program)

dateline_test(search_rpc_test
  SOURCES article_proto_test.cc classifier_client_test.cc handlers_test.cc ingest_stream_test.cc search_proto_test.cc
  DEPS search_rpc classifier_client test_support)
