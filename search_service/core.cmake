# search_core: the article store, the index, the query language and the engine that joins them. No gRPC.
dateline_proto_library(search_storage_proto PROTOS search_service/storage.proto IMPORT_DIRS "${PROJECT_SOURCE_DIR}")

dateline_library(search_core
  SOURCES
    article.cc article_codec.cc article_store.cc sqlite.cc taxonomy.cc text_analysis.cc
  HEADERS
    article.h article_codec.h article_labeler.h article_store.h engine.h search_query.h sqlite.h taxonomy.h
    text_analysis.h
  DEPS common_base absl::flat_hash_map absl::node_hash_map absl::span
  PRIVATE_DEPS search_storage_proto SQLite::SQLite3 Xapian::Xapian ICU::uc absl::flat_hash_set absl::memory absl::str_format)
