# The gazetteer (which words name which country) and the country tagger that ranks what it finds.
dateline_library(gazetteer
  SOURCES gazetteer.cc gazetteer_file.cc
  HEADERS gazetteer.h gazetteer_file.h
  DEPS common_base absl::status absl::statusor absl::strings absl::span
  PRIVATE_DEPS absl::flat_hash_map absl::flat_hash_set absl::memory ICU::uc)

dateline_library(country_tagger
  SOURCES country_tagger.cc
  HEADERS classification.h country_tagger.h
  DEPS gazetteer absl::strings absl::span absl::time
  PRIVATE_DEPS absl::flat_hash_map)

dateline_test(country_tagger_test
  SOURCES gazetteer_test.cc gazetteer_overlay_test.cc country_tagger_test.cc country_traps_test.cc
  DEPS country_tagger common_base test_support)

# Measured on the optional data; tests that are skipped where it is not there.
if(DATELINE_BUILD_TESTS)
  dateline_library(countries_data
    SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/countries_data.cc"
    HEADERS "${PROJECT_SOURCE_DIR}/tests/quality/countries_data.h"
    DEPS absl::status country_tagger
    PRIVATE_DEPS common_base nlohmann_json::nlohmann_json PkgConfig::ZSTD)
  dateline_binary(countries_tool
    SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/countries_tool.cc"
    DEPS countries_data country_tagger common_program nlohmann_json::nlohmann_json)
  dateline_test(countries_quality_test
    SOURCES "${PROJECT_SOURCE_DIR}/tests/quality/countries_test.cc"
    DEPS countries_data country_tagger common_base test_support
    LABEL quality)
endif()
