dateline_binary(engine_bench
  SOURCES engine_bench.cc
  DEPS search_core common_program nlohmann_json::nlohmann_json PkgConfig::ZSTD)
