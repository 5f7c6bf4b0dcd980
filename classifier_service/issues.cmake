# Taxonomy, issue tagger, trainer, and the Classifier that joins both taggers. None of it links gRPC.
dateline_proto_library(classifier_storage_proto
  PROTOS classifier_service/model.proto
  IMPORT_DIRS "${PROJECT_SOURCE_DIR}")

# Taxonomy files; `dateline` compares them, too.
dateline_library(classifier_taxonomy
  SOURCES taxonomy.cc taxonomy_diff.cc
  HEADERS taxonomy.h taxonomy_diff.h
  DEPS common_base absl::flat_hash_map absl::status absl::statusor absl::strings
  PRIVATE_DEPS classifier_storage_proto absl::flat_hash_set)
dateline_library(model_file
  SOURCES model_file.cc
  HEADERS model_file.h
  DEPS absl::status absl::statusor absl::strings
  PRIVATE_DEPS common_base PkgConfig::ZSTD)
dateline_library(text_features
  SOURCES text_features.cc
  HEADERS classification.h hash_index.h text_features.h word_scan.h
  DEPS absl::function_ref absl::statusor absl::strings absl::time
  PRIVATE_DEPS common_base absl::flat_hash_map absl::flat_hash_set ICU::uc)
dateline_library(text_sketch
  SOURCES text_sketch.cc
  HEADERS text_sketch.h
  DEPS absl::strings
  PRIVATE_DEPS common_base)
dateline_library(classifier_issues
  SOURCES issue_model.cc issue_seeds.cc issue_tagger.cc
  HEADERS classification.h issue_model.h issue_seeds.h issue_tagger.h
  DEPS classifier_taxonomy text_features text_sketch common_base absl::flat_hash_map absl::function_ref absl::status absl::statusor absl::strings absl::time
  PRIVATE_DEPS model_file classifier_storage_proto absl::flat_hash_set absl::str_format ICU::uc)
dateline_library(classifier_language
  SOURCES language.cc
  HEADERS language.h
  DEPS absl::strings
  PRIVATE_DEPS Cld2::Cld2)
dateline_library(json_lines
  SOURCES json_lines.cc
  HEADERS json_lines.h
  DEPS absl::function_ref absl::status absl::statusor absl::strings nlohmann_json::nlohmann_json
  PRIVATE_DEPS common_base PkgConfig::ZSTD)
dateline_library(classifier_trainer
  SOURCES issue_calibration.cc issue_thresholds.cc issue_trainer.cc issue_trainer_corpus.cc
  HEADERS issue_calibration.h issue_thresholds.h issue_trainer.h issue_trainer_corpus.h
  DEPS classifier_issues json_lines
  PRIVATE_DEPS classifier_language absl::flat_hash_set absl::str_format Liblinear::Liblinear)

dateline_binary(classifier_train SOURCES train_main.cc train_countries_main.cc publish_check.cc DEPS classifier_trainer country_trainer common_program)

dateline_library(classifier_core
  SOURCES classifier.cc
  HEADERS classifier.h
  DEPS country_tagger gazetteer classifier_issues
  PRIVATE_DEPS classifier_language)

dateline_test(classifier_issues_test
  SOURCES issue_tagger_test.cc taxonomy_diff_test.cc taxonomy_test.cc text_features_test.cc text_sketch_test.cc
          word_scan_test.cc
  DEPS classifier_issues test_support)
dateline_test(classifier_trainer_test
  SOURCES issue_calibration_test.cc issue_trainer_test.cc json_lines_test.cc
  DEPS classifier_trainer test_support PkgConfig::ZSTD)
dateline_test(classifier_core_test SOURCES classifier_test.cc language_test.cc DEPS classifier_core classifier_language test_support)
if(DATELINE_BUILD_TESTS)
  dateline_binary(issues_tool
    SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/issues_tool.cc"
    DEPS classifier_trainer country_trainer common_program test_support Liblinear::Liblinear)
endif()
dateline_test(issues_quality_test
  SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/issues_test.cc"
  DEPS classifier_trainer test_support
  LABEL quality)
