# The gazetteer (which words name which country) and the country tagger that ranks what it finds.
dateline_library(gazetteer
  SOURCES gazetteer.cc gazetteer_file.cc
  HEADERS gazetteer.h gazetteer_file.h
  DEPS common_base absl::status absl::statusor absl::strings absl::span
  PRIVATE_DEPS text_features absl::flat_hash_map absl::flat_hash_set absl::memory ICU::uc)

dateline_proto_library(country_storage_proto
  PROTOS classifier_service/country_model.proto
  IMPORT_DIRS "${PROJECT_SOURCE_DIR}")

dateline_library(country_tagger
  SOURCES country_analysis.cc country_habits.cc country_model.cc country_tagger.cc mention_context.cc
  HEADERS classification.h country_analysis.h country_habits.h country_model.h country_tagger.h mention_context.h
  DEPS gazetteer text_features text_sketch absl::flat_hash_map absl::status absl::statusor absl::strings absl::span absl::time
  PRIVATE_DEPS common_base country_storage_proto model_file absl::flat_hash_set)

# Labelled articles, training and measuring.
dateline_library(country_trainer
  SOURCES country_articles.cc country_evaluation.cc country_trainer.cc
  HEADERS country_articles.h country_trainer.h
  DEPS country_tagger json_lines absl::function_ref
  PRIVATE_DEPS common_base absl::flat_hash_set absl::str_format nlohmann_json::nlohmann_json Liblinear::Liblinear)

dateline_test(country_tagger_test
  SOURCES gazetteer_test.cc gazetteer_overlay_test.cc country_model_test.cc country_tagger_test.cc
          country_traps_test.cc mention_context_test.cc
  DEPS country_tagger common_base test_support)
dateline_test(country_trainer_test SOURCES country_trainer_test.cc DEPS country_trainer test_support)

# Measured on the optional data; tests that are skipped where it is not there.
if(DATELINE_BUILD_TESTS)
  dateline_binary(countries_tool
    SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/countries_tool.cc"
    DEPS country_trainer common_program nlohmann_json::nlohmann_json)
  dateline_test(countries_quality_test
    SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/countries_test.cc"
    DEPS country_trainer common_base test_support
    LABEL quality)
  # Trains: takes longer than a test of dateline_test() may.
  add_executable(reuters_places_test "${PROJECT_SOURCE_DIR}/tests/quality/reuters_places_test.cc")
  target_link_libraries(reuters_places_test PRIVATE project_options country_trainer test_support GTest::gmock
    GTest::gtest_main)
  add_test(NAME quality.reuters_places COMMAND reuters_places_test WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(quality.reuters_places PROPERTIES LABELS quality TIMEOUT 1800
    SKIP_REGULAR_EXPRESSION "SKIPPED")
endif()
