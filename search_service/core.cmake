# search_article: what an article is, and which are taken. By itself, so that the command can say the same beforehand.
dateline_library(search_article SOURCES article.cc HEADERS article.h DEPS common_base PRIVATE_DEPS absl::str_format)

# search_core: the article store, the index, the query language and the engine that joins them. No gRPC.
dateline_proto_library(search_storage_proto PROTOS search_service/storage.proto IMPORT_DIRS "${PROJECT_SOURCE_DIR}")

dateline_library(search_core
  SOURCES
    article_codec.cc article_labeler.cc article_store.cc article_terms.cc engine.cc enumeration.cc files.cc filter_match.cc index_document.cc index_match.cc index_segment.cc index_set.cc index_spelling.cc job_list.cc label_correction.cc maintenance.cc near_duplicates.cc page_token.cc query_node.cc query_parser.cc recognized_names.cc relabeling.cc retention.cc search_index.cc search_query.cc searcher.cc selection.cc similar_articles.cc snapshot.cc snippets.cc sqlite.cc suggester.cc synonyms.cc taxonomy.cc
    text_analysis.cc trends.cc visible_prefix.cc vocabulary.cc wait_list.cc
  HEADERS
    article_codec.h article_labeler.h article_store.h article_terms.h engine.h enumeration.h files.h filter_match.h index_document.h index_match.h index_segment.h index_set.h index_spelling.h job_list.h label_correction.h label_pack.h maintenance.h near_duplicates.h page_token.h query_node.h
    query_parser.h recognized_names.h relabeling.h retention.h search_index.h search_query.h searcher.h selection.h similar_articles.h snapshot.h snippets.h sqlite.h suggester.h synonyms.h taxonomy.h text_analysis.h trends.h
    visible_prefix.h vocabulary.h wait_list.h
  DEPS search_article common_base absl::btree absl::flat_hash_map absl::node_hash_map absl::span
  PRIVATE_DEPS search_storage_proto SQLite::SQLite3 Xapian::Xapian ICU::i18n ICU::uc absl::flat_hash_set absl::hash absl::memory absl::str_format)

dateline_test(search_core_test
  SOURCES
    article_store_test.cc article_test.cc engine_test.cc enumeration_test.cc files_test.cc job_list_test.cc label_correction_test.cc maintenance_test.cc near_duplicates_test.cc oracle_test.cc query_parser_test.cc recognized_names_test.cc relabeling_test.cc retention_test.cc search_index_test.cc searcher_test.cc snapshot_test.cc suggester_test.cc synonyms_test.cc
    text_analysis_test.cc visible_prefix_test.cc vocabulary_test.cc wait_list_test.cc
  DEPS search_core search_storage_proto)
